// @ts-check
import { ApiError, get, post } from '../lib/api.js';
import { announce, fill, h } from '../lib/dom.js';
import { dateTime, duration, whole } from '../lib/format.js';
import { answerTable } from '../parts/answer-table.js';
import { empty, failed, loading } from '../parts/states.js';

const EVERY_MS = 1_000;
const MOST_RECENT = 20;
/** @type {Readonly<Record<string, string>>} */
const TONES = { running: 'live', completed: 'good', failed: 'bad', cancelled: 'warn' };

/**
 * Statements of Hive SQL: one to be run, and those that were.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, address, live, left, set }) {
  live.idle();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** The job that is shown. */
  let followed = address.settings.get('job') ?? '';
  const sql = h('textarea', {
    id: 'sql',
    rows: 6,
    spellcheck: 'false',
    value: address.settings.get('sql') ?? 'SHOW TABLES',
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void run();
    },
    oninput: () => void set({ sql: sql.value.slice(0, 4_000) }),
  });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const runButton = h('button', { type: 'button', class: 'primary', onclick: () => void run() }, 'Run');
  const cancelButton = h(
    'button',
    { type: 'button', class: 'danger', hidden: true, onclick: () => void cancel() },
    'Cancel',
  );
  const answer = h('section', { class: 'panel', 'aria-label': 'Answer', hidden: true });
  const recent = h('section', { class: 'panel', 'aria-label': 'Recent statements' }, loading());
  fill(
    container,
    h('div', { class: 'head' }, h('h1', {}, 'SQL')),
    h(
      'section',
      { class: 'panel', 'aria-label': 'Statement' },
      h(
        'div',
        { class: 'body sql-form' },
        h('label', { for: 'sql' }, 'One statement of Hive SQL that reads'),
        sql,
        h('div', { class: 'actions' }, runButton, cancelButton, h('span', { class: 'dim' }, 'Ctrl+Enter runs it')),
        problem,
      ),
    ),
    answer,
    recent,
  );
  left.addEventListener('abort', () => {
    clearTimeout(timer);
  });
  void list();
  if (followed !== '') void follow();
  return {};

  async function run() {
    problem.textContent = '';
    runButton.disabled = true;
    try {
      const started = await post('/api/jobs', {
        workflowType: 'runHiveQuery',
        input: { sql: sql.value },
        confirm: 'runHiveQuery',
      });
      followed = started.workflowId;
      set({ sql: sql.value.slice(0, 4_000), job: followed });
      await follow();
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
    runButton.disabled = false;
  }

  async function cancel() {
    try {
      await post(`/api/jobs/${encodeURIComponent(followed)}/cancel`, { confirm: followed });
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /** Shows how the job stands until it has ended. */
  async function follow() {
    clearTimeout(timer);
    const id = followed;
    let isRunning;
    try {
      const found = await get(`/api/queries/${encodeURIComponent(id)}`, {}, left);
      if (id !== followed) return;
      isRunning = found.outcome === 'running';
      show(found);
      if (!isRunning) {
        announce(`The statement is ${found.outcome}`);
        void list();
      }
    } catch (error) {
      if (left.aborted || id !== followed) return;
      const isEarly = error instanceof ApiError && error.status === 404;
      answer.hidden = false;
      fill(answer, isEarly ? loading('It begins …') : failed(error, () => void follow()));
      isRunning = isEarly;
    }
    cancelButton.hidden = !isRunning;
    if (isRunning && !left.aborted) timer = setTimeout(() => void follow(), EVERY_MS);
  }

  /** @param {any} found */
  function show(found) {
    answer.hidden = false;
    const { outcome, startedAt, durationMs, reason } = found;
    fill(
      answer,
      h(
        'header',
        {},
        h('h2', {}, 'Answer'),
        h('span', { class: `badge ${TONES[outcome] ?? ''}` }, outcome),
        h('span', { class: 'dim' }, duration(durationMs ?? Date.now() - Date.parse(startedAt))),
      ),
      outcome === 'completed'
        ? answerTable(found)
        : h(
            'div',
            { class: 'body' },
            h(
              'p',
              {},
              reason ?? (outcome === 'running' ? 'Hive works on it.' : 'It was cancelled; nothing of it runs on.'),
            ),
          ),
    );
  }

  async function list() {
    try {
      const { items } = await get('/api/queries', { limit: MOST_RECENT }, left);
      fill(
        recent,
        h('header', {}, h('h2', {}, 'Recent statements')),
        items.length === 0
          ? empty(
              'No statement has been run yet',
              'Run one above, or with ',
              h('code', {}, 'npm run job -- runHiveQuery'),
              '.',
            )
          : h(
              'div',
              { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of recent statements' },
              h(
                'table',
                {},
                h(
                  'thead',
                  {},
                  h(
                    'tr',
                    {},
                    ['Statement', 'Ended', 'Rows', 'Began', 'Took'].map((name) => h('th', { scope: 'col' }, name)),
                  ),
                ),
                h('tbody', {}, items.map(rowOf)),
              ),
            ),
      );
    } catch (error) {
      if (!left.aborted)
        fill(
          recent,
          failed(error, () => void list()),
        );
    }
  }

  /** @param {any} item */
  function rowOf(item) {
    const { workflowId, outcome, rows, startedAt, durationMs, sql: statement } = item;
    return h(
      'tr',
      {},
      h(
        'td',
        { class: 'wrap' },
        h(
          'button',
          {
            type: 'button',
            class: 'quiet mono',
            onclick: () => {
              sql.value = statement;
              followed = workflowId;
              set({ sql: statement.slice(0, 4_000), job: workflowId });
              void follow();
            },
          },
          statement.length > 80 ? `${statement.slice(0, 80)}…` : statement,
        ),
      ),
      h('td', {}, h('span', { class: `badge ${TONES[outcome] ?? ''}` }, outcome)),
      h('td', { class: 'number' }, whole(rows)),
      h('td', {}, dateTime(startedAt)),
      h('td', { class: 'number' }, duration(durationMs)),
    );
  }
}
