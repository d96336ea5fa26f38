import { createServer } from 'node:net';
import { join } from 'node:path';
import { GridError } from '../../../../grid/errors.ts';
import type { Config } from '../../../../runtime/config.ts';
import { describeListener, isPortFree } from '../../../native/ports.ts';
import type { WorkerEnvironment } from '../sources.ts';
import { SupervisedWorker, type Death, type WorkerSpec } from './supervised-worker.ts';

export type WorkerName = 'ingest' | 'speed' | 'simulator' | 'batch' | 'serving';

export interface WorkerSetOptions {
  /** The configuration as the workers will see it. */
  readonly config: Config;
  readonly environment: WorkerEnvironment;
  readonly logDirectory: string;
  /** Whether there is a worker for batch jobs. */
  readonly batch: boolean;
  /** Told when a worker has died and after how long it is started again. */
  readonly onDeath: (name: WorkerName, death: Death, delayMs: number) => void;
}

/** What is added to the time that a worker gives itself to stop before it is killed. */
const STOP_GRACE_MS = 5_000;

/** The workers of one `npm start`. */
export class WorkerSet {
  readonly #workers: ReadonlyMap<WorkerName, SupervisedWorker>;

  private constructor(workers: ReadonlyMap<WorkerName, SupervisedWorker>) {
    this.#workers = workers;
  }

  /**
   * Chooses ports and makes the workers, without starting them.
   *
   * @throws GridError `address-in-use` when a port that others have to know is taken.
   */
  static async make(options: WorkerSetOptions): Promise<WorkerSet> {
    const { config, environment, onDeath } = options;
    await requireFree(config.INGEST_PORT, 'ingest gateway', 'INGEST_PORT');
    await requireFree(config.RAW_TEXT_PORT, 'raw text source', 'RAW_TEXT_PORT');
    await requireFree(config.HTTP_PORT, 'dashboard', 'HTTP_PORT');
    const ingestPort = config.INGEST_PORT === 0 ? await freePort(0) : config.INGEST_PORT;
    const servingPort = config.HTTP_PORT === 0 ? await freePort(0) : config.HTTP_PORT;
    // Nobody else has to know these, so a taken one is no reason to fail.
    const speedPort = await freePort(config.SPEED_METRICS_PORT);
    const simulatorPort = await freePort(config.SIMULATOR_METRICS_PORT);
    const spec = (name: WorkerName, host: string, port: number, ports: WorkerEnvironment): WorkerSpec => ({
      name,
      script: `workers/${name}.ts`,
      environment: { ...environment, ...ports },
      logPath: join(options.logDirectory, `worker-${name}.log`),
      operationsUrl: `http://${reachableHost(host)}:${port}`,
      stopTimeoutMs: config.SHUTDOWN_TIMEOUT_MS + STOP_GRACE_MS,
      mayFinish: name === 'simulator',
    });
    const specs: [WorkerName, WorkerSpec][] = [
      ['ingest', spec('ingest', config.INGEST_HOST, ingestPort, { INGEST_PORT: String(ingestPort) })],
      ['speed', spec('speed', config.OPERATIONS_HOST, speedPort, { SPEED_METRICS_PORT: String(speedPort) })],
      ['serving', spec('serving', config.HTTP_HOST, servingPort, { HTTP_PORT: String(servingPort) })],
    ];
    if (config.SIMULATOR_SENSORS > 0 || config.FILE_SOURCE_MAPPING !== '') {
      const ports = { SIMULATOR_METRICS_PORT: String(simulatorPort) };
      specs.push(['simulator', spec('simulator', config.OPERATIONS_HOST, simulatorPort, ports)]);
    }
    if (options.batch) {
      const batchPort = await freePort(config.BATCH_METRICS_PORT);
      specs.push([
        'batch',
        spec('batch', config.OPERATIONS_HOST, batchPort, { BATCH_METRICS_PORT: String(batchPort) }),
      ]);
    }
    return new WorkerSet(
      new Map(
        specs.map(([name, own]) => [
          name,
          new SupervisedWorker(own, (death, delayMs) => {
            onDeath(name, death, delayMs);
          }),
        ]),
      ),
    );
  }

  get all(): readonly [WorkerName, SupervisedWorker][] {
    return [...this.#workers];
  }

  /**
   * Starts those that readings flow through; resolves when they answer.
   *
   * @throws GridError `worker-failed` of the first that dies at once.
   */
  async start(): Promise<void> {
    const streaming = this.all.filter(([name]) => name !== 'batch');
    await Promise.all(streaming.map(([, worker]) => worker.start()));
  }

  /** Starts the one for batch jobs; resolves when it answers. @throws GridError `worker-failed` when it dies at once. */
  async startBatch(): Promise<void> {
    await this.#workers.get('batch')?.start();
  }

  /** Stops the one for batch jobs: what it has under way goes on when there is a worker again. */
  async stopBatch(hurrying: AbortSignal): Promise<void> {
    await this.#workers.get('batch')?.stop(hurrying);
  }

  /** Stops what sends readings. */
  async stopSources(hurrying: AbortSignal): Promise<void> {
    await Promise.all([this.#workers.get('simulator')?.stop(hurrying), this.#workers.get('ingest')?.stop(hurrying)]);
  }

  /** Stops what stores readings, which commits what it holds, and what shows them. */
  async stopSinks(hurrying: AbortSignal): Promise<void> {
    await Promise.all([this.#workers.get('speed')?.stop(hurrying), this.#workers.get('serving')?.stop(hurrying)]);
  }
}

/** Where a server that listens on `host` can be reached from here. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

async function requireFree(port: number, what: string, variable: string): Promise<void> {
  if (port === 0 || (await isPortFree(port))) return;
  throw new GridError(
    'address-in-use',
    `Starting the ${what}: port ${port} is taken by ${await describeListener(port)}. Stop it, or set ${variable} to another port in the environment or in .env.`,
  );
}

async function freePort(wanted: number): Promise<number> {
  if (wanted !== 0 && (await isPortFree(wanted))) return wanted;
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => {
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
  });
}
