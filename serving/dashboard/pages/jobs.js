// @ts-check
import { get, post } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { dateTime, duration } from '../lib/format.js';
import { choices } from '../parts/choices.js';
import { confirmDialog } from '../parts/dialogs.js';
import { empty, failed, loading } from '../parts/states.js';

const EVERY_MS = 3_000;
const FILTERS = /** @type {const} */ ([
  ['', 'All'],
  ['running', 'Running'],
  ['parked', 'Parked'],
  ['failed', 'Failed'],
  ['completed', 'Completed'],
]);
/** @type {Readonly<Record<string, string>>} */
const TONES = {
  running: 'live',
  completed: 'good',
  failed: 'bad',
  'timed-out': 'bad',
  terminated: 'warn',
  cancelled: 'warn',
  parked: 'warn',
};
const ENDED_BADLY = new Set(['failed', 'timed-out', 'terminated', 'cancelled']);

/** @param {import('../app.js').PageContext} context */
export function open({ container, address, live, left, set }) {
  let status = address.settings.get('status') ?? '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let shown = '';
  live.idle();
  const head = h('div', { class: 'head' });
  const jobs = h('section', { class: 'panel', 'aria-label': 'Jobs' }, loading('Asking Temporal …'));
  const types = h('section', { class: 'panel', hidden: true });
  fill(container, head, jobs, types);
  drawHead('');
  left.addEventListener('abort', () => {
    clearTimeout(timer);
  });
  void ask();
  return {
    onSettings(/** @type {ReadonlyMap<string, string>} */ settings) {
      status = settings.get('status') ?? '';
      void ask();
    },
  };

  /** @param {string} url */
  function drawHead(url) {
    fill(
      head,
      h('h1', {}, 'Jobs'),
      h('span', { class: 'push' }),
      choices('Jobs that are', FILTERS, status, (value) => {
        status = value;
        set({ status });
        shown = '';
        drawHead(url);
        void ask();
      }),
      url === '' ? null : h('a', { class: 'button', href: url, target: '_blank', rel: 'noreferrer' }, 'Temporal UI ↗'),
    );
  }

  async function ask() {
    clearTimeout(timer);
    try {
      const answer = await get('/api/jobs', { status: status === 'parked' ? 'running' : status }, left);
      // Drawn anew only where something is new: a button must not go from under one's finger.
      const text = JSON.stringify(answer);
      if (text !== shown) {
        shown = text;
        drawHead(answer.url);
        draw(answer);
      }
    } catch (error) {
      if (left.aborted) return;
      shown = '';
      fill(
        jobs,
        failed(error, () => void ask()),
      );
    }
    if (!left.aborted) timer = setTimeout(() => void ask(), EVERY_MS);
  }

  /** @param {any} answer */
  function draw(answer) {
    const found = answer.jobs.filter((/** @type {any} */ { parked }) => status !== 'parked' || parked !== null);
    fill(
      jobs,
      found.length === 0
        ? empty(
            status === '' ? 'No job has run yet' : `No job is ${status}`,
            'Start one below, or with ',
            h('code', {}, 'npm run job -- countWords'),
            '.',
          )
        : h(
            'div',
            { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of jobs' },
            h(
              'table',
              {},
              h(
                'thead',
                {},
                h(
                  'tr',
                  {},
                  ['Job', 'State', 'Progress', 'Started', 'Took', ''].map((text) =>
                    h('th', { scope: 'col' }, text === '' ? h('span', { class: 'visually-hidden' }, 'Actions') : text),
                  ),
                ),
              ),
              h('tbody', {}, found.map(rowOf)),
            ),
          ),
    );
    types.hidden = false;
    fill(
      types,
      h('header', {}, h('h2', {}, 'Start a job')),
      h(
        'div',
        { class: 'job-types' },
        answer.types.map((/** @type {any} */ type) =>
          h(
            'div',
            {},
            h('h3', {}, type.workflowType),
            h('p', { class: 'dim' }, type.summary),
            h('button', { type: 'button', onclick: () => void start(type) }, 'Start …'),
          ),
        ),
      ),
    );
  }

  /** @param {any} job */
  function rowOf(job) {
    const { workflowId, workflowType, startedAt, closedAt, parked, progress, url } = job;
    const state = parked === null ? job.status : 'parked';
    const endMs = closedAt === null ? Date.now() : Date.parse(closedAt);
    return h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        h('div', {}, workflowType),
        h(
          'a',
          { class: 'mono', href: url, target: '_blank', rel: 'noreferrer', title: workflowId },
          shortened(workflowId),
        ),
      ),
      h('td', {}, h('span', { class: `badge ${TONES[state] ?? ''}` }, state)),
      h('td', { class: 'wrap' }, parked ?? (progress === null ? '–' : `${progress.amount} ${progress.rest}`)),
      h('td', {}, dateTime(startedAt)),
      h('td', {}, duration(endMs - Date.parse(startedAt))),
      h(
        'td',
        { class: 'number' },
        job.status === 'running'
          ? h(
              'button',
              {
                type: 'button',
                class: 'danger',
                'aria-label': `Cancel ${workflowId}`,
                onclick: () => void change(job, 'cancel'),
              },
              'Cancel',
            )
          : null,
        parked !== null || ENDED_BADLY.has(job.status)
          ? h(
              'button',
              { type: 'button', 'aria-label': `Retry ${workflowId}`, onclick: () => void change(job, 'retry') },
              'Retry',
            )
          : null,
      ),
    );
  }

  /**
   * @param {any} job
   * @param {'cancel' | 'retry'} what
   */
  function change({ workflowId, workflowType, parked }, what) {
    const isCancel = what === 'cancel';
    confirmDialog({
      title: isCancel ? `Cancel ${workflowType}?` : `Retry ${workflowType}?`,
      content: [
        h('p', { class: 'mono' }, workflowId),
        h(
          'p',
          {},
          isCancel
            ? 'It stops within seconds and takes half-done work back.'
            : parked === null
              ? 'It is started again with the same input, under a new id.'
              : 'What is parked is done again; what is done stays.',
        ),
      ],
      action: isCancel ? 'Cancel the job' : 'Retry',
      isDangerous: isCancel,
      onConfirm: async () => {
        await post(`/api/jobs/${encodeURIComponent(workflowId)}/${what}`, { confirm: workflowId });
        await ask();
      },
    });
  }

  /** @param {any} type */
  function start({ workflowType, summary, example }) {
    const input = h('textarea', { rows: 8, spellcheck: 'false', value: '{}' });
    confirmDialog({
      title: `Start ${workflowType}`,
      content: [
        h('p', { class: 'dim' }, summary),
        h('label', {}, h('span', {}, 'Input, JSON'), input),
        h('p', { class: 'dim' }, 'For example ', h('code', { class: 'mono' }, JSON.stringify(example))),
      ],
      action: 'Start',
      onConfirm: async () => {
        await post('/api/jobs', {
          workflowType,
          input: JSON.parse(input.value.trim() === '' ? '{}' : input.value),
          confirm: workflowType,
        });
        await ask();
      },
    });
  }
}

/** @param {string} id */
function shortened(id) {
  return id.length > 44 ? `${id.slice(0, 28)}…${id.slice(-12)}` : id;
}
