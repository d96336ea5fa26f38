// @ts-check
import { get } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { whole } from '../lib/format.js';
import { alarmTable } from '../parts/alarm-table.js';
import { choices } from '../parts/choices.js';
import { empty, failed, loading } from '../parts/states.js';

const STATES = /** @type {const} */ ([
  ['open', 'Open'],
  ['raised', 'Not acknowledged'],
  ['cleared', 'Cleared'],
  ['all', 'All'],
]);
const SEVERITIES = /** @type {const} */ ([
  ['', 'All'],
  ['critical', 'Critical'],
  ['warning', 'Warning'],
  ['info', 'Info'],
]);
/** Alarms may come by hundreds: they are asked for anew at most so often. */
const REFRESH_MS = 1_000;
const DURATIONS_MS = 15_000;

/**
 * Alarms that are open, and their history.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, address, live, left, set }) {
  let state = address.settings.get('state') ?? 'open';
  let severity = address.settings.get('severity') ?? '';
  /** @type {any[]} */
  let alarms = [];
  /** @type {any} */
  let counts;
  /** @type {string | null} */
  let next = null;
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let refresh;
  const head = h('div', { class: 'head' });
  const panel = h('section', { class: 'panel', 'aria-label': 'Alarms' }, loading('Asking for alarms …'));
  fill(container, head, panel);
  drawHead();
  live.listen({ onAlarm: soon, onReset: soon }, '?kinds=alarm');
  const timer = setInterval(soon, DURATIONS_MS);
  addEventListener('powergrid:look', draw);
  left.addEventListener('abort', () => {
    clearInterval(timer);
    clearTimeout(refresh);
    removeEventListener('powergrid:look', draw);
  });
  void ask(false);
  return {};

  /** The first page anew, unless somebody reads older ones, or is about to press a button. */
  function soon() {
    if (document.hidden || alarms.length > 100 || panel.contains(document.activeElement)) return;
    refresh ??= setTimeout(() => {
      refresh = undefined;
      void ask(false);
    }, REFRESH_MS);
  }

  /** @param {boolean} isMore */
  async function ask(isMore) {
    const mine = ++asked;
    try {
      const answer = await get(
        '/api/alarms',
        { state, severity, cursor: isMore ? (next ?? undefined) : undefined, limit: 100 },
        left,
      );
      if (mine !== asked) return;
      alarms = isMore ? [...alarms, ...answer.alarms] : answer.alarms;
      ({ counts, next } = answer);
      drawHead();
      draw();
    } catch (error) {
      if (!left.aborted && mine === asked)
        fill(
          panel,
          failed(error, () => void ask(false)),
        );
    }
  }

  function drawHead() {
    fill(
      head,
      h('h1', {}, 'Alarms'),
      h('span', { class: 'dim' }, counts === undefined ? '' : summary()),
      h('span', { class: 'push' }),
      choices('State', STATES, /** @type {any} */ (state), (value) => {
        state = value;
        set({ state: value === 'open' ? '' : value });
        drawHead();
        void ask(false);
      }),
      choices('Severity', SEVERITIES, /** @type {any} */ (severity), (value) => {
        severity = value;
        set({ severity: value });
        drawHead();
        void ask(false);
      }),
    );
  }

  function summary() {
    return `${whole(counts.open)} open, ${whole(counts.unacknowledged)} not acknowledged, ${whole(counts.critical)} critical`;
  }

  function draw() {
    if (counts === undefined) return;
    fill(
      panel,
      alarms.length === 0
        ? empty(
            'No such alarm',
            state === 'open' ? 'Nothing is beyond its limits.' : 'Choose another state or severity.',
          )
        : alarmTable(alarms, { label: 'Table of alarms', onAcknowledged: () => void ask(false) }),
      next === null
        ? null
        : h('div', { class: 'body' }, h('button', { type: 'button', onclick: () => void ask(true) }, 'Older ones')),
    );
  }
}
