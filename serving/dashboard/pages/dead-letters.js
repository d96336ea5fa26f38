// @ts-check
import { get, post } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { bytes, dateTime, whole } from '../lib/format.js';
import { confirmDialog, showDialog } from '../parts/dialogs.js';
import { empty, failed, loading } from '../parts/states.js';

/**
 * Records that could not be read, with the reason and their very bytes; each can be put right and taken in again.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, address, live, left, set }) {
  let partition = address.settings.get('partition') ?? '';
  let code = address.settings.get('code') ?? '';
  /** @type {any[]} */
  let letters = [];
  /** @type {string | null} */
  let next = null;
  live.idle();
  const head = h('div', { class: 'head' });
  const panel = h('section', { class: 'panel' }, loading('Reading dead letters …'));
  fill(container, head, panel);
  void ask(false);
  return {};

  /** @param {boolean} isMore */
  async function ask(isMore) {
    try {
      const answer = await get(
        '/api/dlq',
        { partition, cursor: isMore ? (next ?? undefined) : undefined, limit: 100 },
        left,
      );
      letters = isMore ? [...letters, ...answer.letters] : answer.letters;
      next = answer.next;
      draw(answer.partitions);
    } catch (error) {
      if (!left.aborted)
        fill(
          panel,
          failed(error, () => void ask(false)),
        );
    }
  }

  /** @param {readonly any[]} partitions */
  function draw(partitions) {
    const total = partitions.reduce((sum, { low, high }) => sum + high - low, 0);
    const codes = [...new Set(letters.map((letter) => letter.code).filter((text) => text !== null))].sort();
    fill(
      head,
      h('h1', {}, 'Dead letters'),
      h('span', { class: 'dim' }, `${whole(total)} records that could not be read`),
      h('span', { class: 'push' }),
      select(
        'Reason',
        code,
        [['', 'All reasons'], ...codes.map((text) => /** @type {[string, string]} */ ([text, text]))],
        (value) => {
          code = value;
          set({ code });
          draw(partitions);
        },
      ),
      select(
        'Partition',
        partition,
        [
          ['', 'All partitions'],
          ...partitions.map(
            (one) => /** @type {[string, string]} */ ([String(one.partition), `Partition ${one.partition}`]),
          ),
        ],
        (value) => {
          partition = value;
          set({ partition });
          void ask(false);
        },
      ),
      h('button', { type: 'button', onclick: () => void ask(false) }, 'Refresh'),
    );
    const shown = letters.filter((letter) => code === '' || letter.code === code);
    if (shown.length === 0) {
      fill(
        panel,
        letters.length === 0
          ? empty('No dead letters', 'Everything that was sent could be read.')
          : empty('None of these has that reason', 'Choose another, or read older ones.'),
        moreButton(),
      );
      return;
    }
    fill(
      panel,
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of dead letters' },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['Set aside', 'Reason', 'Detail', 'Key', 'Size', 'Place', ''].map((text) =>
                h(
                  'th',
                  { scope: 'col', class: text === 'Size' ? 'number' : '' },
                  text === '' ? h('span', { class: 'visually-hidden' }, 'Actions') : text,
                ),
              ),
            ),
          ),
          h('tbody', {}, shown.map(rowOf)),
        ),
      ),
      moreButton(),
    );
  }

  function moreButton() {
    return next === null
      ? null
      : h('div', { class: 'body' }, h('button', { type: 'button', onclick: () => void ask(true) }, 'Older ones'));
  }

  /** @param {any} letter */
  function rowOf(letter) {
    const place = `${letter.partition}/${letter.offset}`;
    return h(
      'tr',
      {},
      h('td', {}, dateTime(letter.at)),
      h('td', {}, h('span', { class: 'badge warn' }, letter.code ?? 'unknown')),
      h('td', { class: 'wrap' }, letter.detail ?? '–'),
      h('td', {}, letter.key ?? '–'),
      h('td', { class: 'number' }, bytes(letter.bytes)),
      h('td', { class: 'mono' }, place),
      h(
        'td',
        { class: 'number' },
        h('button', { type: 'button', 'aria-label': `Open ${place}`, onclick: () => void show(letter) }, 'Open'),
      ),
    );
  }

  /** @param {any} letter */
  function show(letter) {
    const { source } = letter;
    /** @type {[string, string][]} */
    const lines = [
      ['Reason', letter.code ?? 'unknown'],
      ['Detail', letter.detail ?? '–'],
      ['Set aside', dateTime(letter.at)],
      ['Came from', source === null ? '–' : `${source.topic}, partition ${source.partition}, offset ${source.offset}`],
      ['Key', letter.key ?? '–'],
      ['Size', bytes(letter.bytes)],
    ];
    const dialog = showDialog(
      `Dead letter ${letter.partition}/${letter.offset}`,
      h(
        'dl',
        { class: 'facts' },
        lines.flatMap(([name, text]) => [h('dt', {}, name), h('dd', {}, text)]),
      ),
      h('p', {}),
      h('pre', { tabindex: 0, 'aria-label': 'Original bytes' }, letter.text ?? hexDump(letter.base64)),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', onclick: () => void dialog.close() }, 'Close'),
        h(
          'button',
          { type: 'button', class: 'primary', onclick: () => void (dialog.close(), repair(letter)) },
          'Put right …',
        ),
      ),
    );
  }

  /** @param {any} letter */
  function repair(letter) {
    const envelope = h('textarea', { rows: 10, spellcheck: 'false', value: letter.text ?? '' });
    confirmDialog({
      title: `Put ${letter.partition}/${letter.offset} right`,
      content: [
        h('p', { class: 'dim' }, `${letter.code ?? ''}: ${letter.detail ?? ''}`),
        h('label', {}, h('span', {}, 'The envelope as it should have been'), envelope),
        h('p', { class: 'dim' }, 'It becomes a new record of the readings. The dead letter stays where it is.'),
      ],
      action: 'Take it in',
      onConfirm: async () => {
        await post(`/api/dlq/${letter.partition}/${letter.offset}/reingest`, { envelope: envelope.value });
      },
    });
  }
}

/**
 * @param {string} label
 * @param {string} chosen
 * @param {readonly (readonly [string, string])[]} options
 * @param {(value: string) => void} onChoose
 */
function select(label, chosen, options, onChoose) {
  const element = h(
    'select',
    { 'aria-label': label, onchange: () => void onChoose(element.value) },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
  return element;
}

/**
 * Bytes that are no text.
 *
 * @param {string} base64
 */
function hexDump(base64) {
  const all = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const lines = [];
  for (let at = 0; at < Math.min(all.length, 4_096); at += 16) {
    const part = [...all.slice(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(48)} ${text}`);
  }
  return lines.join('\n');
}
