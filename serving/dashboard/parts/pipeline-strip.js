// @ts-check
import { get } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { duration, NARROW, rate, whole } from '../lib/format.js';

const EVERY_MS = 2_000;
/** Records that a sink may be behind before it is marked: some seconds of a busy grid. */
const MUCH_LAG = 20_000;
const LONG_DELAY_MS = 180_000;

/** @type {Readonly<Record<string, 'good' | 'warn' | 'bad' | ''>>} */
export const VERDICT_TONES = { balanced: 'good', 'catching up': '', differs: 'bad', loss: 'bad', unknown: 'warn' };

/** How the pipeline stands, always in view. It asks for nothing while nobody looks. */
export class PipelineStrip {
  #element;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Set<(state: any) => void>} */
  #listeners = new Set();
  /** @type {any} */
  state;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    fill(element, h('p', {}, 'Asking how the pipeline stands …'));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.start();
    });
  }

  start() {
    clearTimeout(this.#timer);
    void this.#ask();
  }

  /**
   * @param {(state: any) => void} listener
   * @param {AbortSignal} left
   */
  onState(listener, left) {
    this.#listeners.add(listener);
    left.addEventListener('abort', () => this.#listeners.delete(listener));
    if (this.state !== undefined) listener(this.state);
  }

  async #ask() {
    try {
      this.state = await get('/api/pipeline');
      fill(this.#element, facts(this.state));
      for (const listener of this.#listeners) listener(this.state);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      fill(this.#element, h('p', { role: 'status' }, text));
    }
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => void this.#ask(), EVERY_MS);
  }
}

/** @param {any} state */
function facts({ accepted, sinks, views, deadLetters, alarms, ledger, stores }) {
  const away = stores.filter((/** @type {any} */ store) => !store.ok);
  return [
    fact(
      'Accepted',
      accepted === null ? '–' : rate(accepted.ratePerSecond),
      '',
      `${whole(accepted?.records)} readings in all`,
    ),
    ...(sinks ?? [])
      .filter((/** @type {any} */ { lag }) => lag !== null)
      .map((/** @type {any} */ { sink, topic, lag }) =>
        fact(
          `${sink} lag`,
          lag === 0 ? '0' : whole(lag),
          lag > MUCH_LAG ? 'warn' : '',
          `Records of ${topic} that ${sink} has not committed yet`,
        ),
      ),
    fact(
      'Watermark',
      views?.watermarkDelayMs == null ? '–' : `−${duration(views.watermarkDelayMs)}`,
      views?.watermarkDelayMs > LONG_DELAY_MS ? 'warn' : '',
      'How far the event time that is passed lies behind now: windows that end before it are final',
    ),
    fact(
      'Batch view',
      views?.batch == null ? 'none yet' : `${duration(views.batch.ageMs)}${NARROW}old`,
      '',
      views?.batch?.build ?? 'Start the job buildBatchViews',
    ),
    fact(
      'Alarms',
      whole(alarms?.open),
      alarms?.critical > 0 ? 'bad' : alarms?.warning > 0 ? 'warn' : '',
      `Open alarms, of which ${whole(alarms?.critical)} are critical and ${whole(alarms?.unacknowledged)} not acknowledged`,
    ),
    fact('Dead letters', whole(deadLetters), '', 'Records that could not be read'),
    fact(
      'Ledger',
      ledger?.verdict ?? 'unknown',
      VERDICT_TONES[ledger?.verdict ?? 'unknown'] ?? '',
      'Accepted = HDFS = MongoDB + what could not be read',
    ),
    ...(away.length === 0
      ? []
      : [
          fact(
            'Away',
            away.map((/** @type {any} */ { store }) => store).join(', '),
            'bad',
            away.map((/** @type {any} */ store) => `${store.store}: ${store.problem}`).join('\n'),
          ),
        ]),
  ];
}

/**
 * @param {string} what
 * @param {string} much
 * @param {string} tone
 * @param {string} title
 */
function fact(what, much, tone, title) {
  return h(
    'div',
    { class: `fact ${tone}`, title },
    h('span', { class: 'what' }, what),
    h('span', { class: 'much' }, much),
  );
}
