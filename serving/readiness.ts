import { asGridError } from '../grid/errors.ts';
import type { Readiness } from '../runtime/http/operations-routes.ts';
import { within } from '../runtime/waiting/time-limit.ts';
import type { Stores } from './stores.ts';

/** How a store stands. */
export interface StoreState {
  readonly store: string;
  readonly ok: boolean;
  /** Why it is not. */
  readonly problem: string | undefined;
  /** What needs it. */
  readonly needs: string;
}

const PROBE_LIMIT_MS = 3_000;
/** Many may ask at once. */
const KNOWN_FOR_MS = 1_000;
const NEEDS: ReadonlyMap<string, string> = new Map([
  ['postgres', 'series, the list of sensors, cadences'],
  ['redis', 'newest values'],
  ['mongodb', 'raw readings, reports, word counts, files'],
  ['kafka', 'events, dead letters, lags'],
  ['temporal', 'jobs'],
  ['hdfs', 'files of readings, the ledger'],
]);

/** Asks each store whether it is there. */
export class StoreProbes {
  readonly #probes: ReadonlyMap<string, () => Promise<unknown>>;
  #asked: Promise<readonly StoreState[]> | undefined;
  #askedAtMs = 0;

  constructor(stores: Stores, topic: string) {
    this.#probes = new Map<string, () => Promise<unknown>>([
      ['postgres', () => stores.database.query('SELECT 1')],
      [
        'redis',
        async () => {
          await stores.redis.whenReady();
          await stores.redis.call('PING', [], 'Asking Redis whether it is there');
        },
      ],
      ['mongodb', () => stores.documents.ping()],
      ['kafka', () => stores.log.partitionsOf(topic)],
      [
        'temporal',
        () =>
          stores.temporal.call('Asking Temporal whether it is there', (client) =>
            client.workflowService.getSystemInfo({}),
          ),
      ],
      ['hdfs', () => stores.masterData.ping()],
    ]);
  }

  /** How all of them stand; bounded in time, and asked at most once a second. */
  states(): Promise<readonly StoreState[]> {
    if (this.#asked === undefined || Date.now() - this.#askedAtMs > KNOWN_FOR_MS) {
      this.#askedAtMs = Date.now();
      this.#asked = Promise.all([...this.#probes].map(([store, probe]) => state(store, probe)));
    }
    return this.#asked;
  }

  /** A store that is away takes its part of the answers with it, and nothing else: the process is ready all the same. */
  async readiness(): Promise<Readiness> {
    const states = await this.states();
    const problems = states
      .filter(({ ok }) => !ok)
      .map(({ store, problem, needs }) => `${store} is away (${needs}): ${problem ?? ''}`);
    return { ready: true, problems };
  }
}

async function state(store: string, probe: () => Promise<unknown>): Promise<StoreState> {
  const needs = NEEDS.get(store) ?? '';
  try {
    await within(PROBE_LIMIT_MS, probe());
    return { store, ok: true, problem: undefined, needs };
  } catch (error) {
    const known =
      error instanceof Error && error.message.startsWith('no answer within')
        ? error
        : asGridError(error, `Asking ${store}`);
    return { store, ok: false, problem: known.message, needs };
  }
}
