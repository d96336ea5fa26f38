// @ts-check
import { get } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { dateTime, whole } from '../lib/format.js';
import { answerTable } from './answer-table.js';
import { showDialog } from './dialogs.js';
import { empty, failed, loading } from './states.js';

const MOST_COLUMNS = 7;
const MOST_TEXT = 80;

/**
 * A list of documents that jobs have kept: their plain fields as columns, and each whole behind its button.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {string} options.path of the API
 * @param {string} options.none when there are none
 * @param {string} options.command that makes some
 * @param {AbortSignal} options.left
 */
export function keptList({ title, path, none, command, left }) {
  /** @type {any[]} */
  let items = [];
  const panel = h('section', { class: 'panel', 'aria-label': title });
  const body = h('div', {}, loading());
  fill(panel, h('header', {}, h('h2', {}, title)), body);
  void ask(undefined);
  return panel;

  /** @param {string | undefined} cursor */
  async function ask(cursor) {
    try {
      const answer = await get(path, { cursor }, left);
      items = [...items, ...answer.items];
      draw(answer.next);
    } catch (error) {
      if (!left.aborted)
        fill(
          body,
          failed(error, () => void ask(cursor)),
        );
    }
  }

  /** @param {string | null} next */
  function draw(next) {
    if (items.length === 0) {
      fill(body, empty(none, 'Make some: ', h('code', {}, command), '.'));
      return;
    }
    const columns = columnsOf(items);
    fill(
      body,
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Table of ${title.toLowerCase()}` },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              columns.map((name) => h('th', { scope: 'col' }, name)),
              h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, 'Whole')),
            ),
          ),
          h(
            'tbody',
            {},
            items.map((item) =>
              h(
                'tr',
                {},
                columns.map((name) => h('td', {}, told(item[name]))),
                h(
                  'td',
                  { class: 'number' },
                  h(
                    'button',
                    { type: 'button', 'aria-label': `Open ${told(item['_id'])}`, onclick: () => void show(item) },
                    'Open',
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
      next === null
        ? null
        : h('div', { class: 'body' }, h('button', { type: 'button', onclick: () => void ask(next) }, 'More')),
    );
  }

  /** @param {any} item */
  function show(item) {
    const isAnswer = Array.isArray(item.firstRows) && Array.isArray(item.columns);
    const lists = Object.entries(item).filter(([, value]) => !isAnswer && isTable(value));
    const dialog = showDialog(
      told(item['_id']),
      isAnswer ? answerTable(item) : null,
      ...lists.map(([name, rows]) => tableOf(name, /** @type {any[]} */ (rows))),
      h(
        'details',
        { open: lists.length === 0 && !isAnswer },
        h('summary', {}, 'As it is kept'),
        h('pre', { tabindex: 0 }, JSON.stringify(item, null, 2)),
      ),
      h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => void dialog.close() }, 'Close')),
    );
  }
}

/** @param {unknown} value */
function isTable(value) {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))
  );
}

/**
 * @param {string} name
 * @param {any[]} rows
 */
function tableOf(name, rows) {
  const columns = columnsOf(rows);
  return h(
    'div',
    { class: 'twin scroll', tabindex: 0, role: 'region', 'aria-label': name },
    h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, name),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          columns.map((column) => h('th', { scope: 'col' }, column)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.slice(0, 200).map((row) =>
          h(
            'tr',
            {},
            columns.map((column) =>
              h('td', { class: typeof row[column] === 'number' ? 'number' : '' }, told(row[column])),
            ),
          ),
        ),
      ),
    ),
  );
}

/** @param {readonly any[]} items */
function columnsOf(items) {
  /** @type {Set<string>} */
  const names = new Set();
  for (const item of items)
    for (const [name, value] of Object.entries(item)) if (typeof value !== 'object') names.add(name);
  return [...names].slice(0, MOST_COLUMNS);
}

/** @param {unknown} value */
function told(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return Number.isInteger(value) ? whole(value) : String(value);
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return dateTime(text);
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
}
