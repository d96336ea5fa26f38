import { readFileSync } from 'node:fs';
import { freePort } from '../../infra/native/ports.ts';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { WorkerProcess } from '../support/worker-process.ts';

/** The real ingest worker as a process of its own, on ports of its own. */
export class IngestWorker {
  readonly process: WorkerProcess;
  readonly ingestPort: number;
  readonly rawTextPort: number;

  private constructor(process: WorkerProcess, ingestPort: number, rawTextPort: number) {
    this.process = process;
    this.ingestPort = ingestPort;
    this.rawTextPort = rawTextPort;
  }

  /** Starts it and waits until it listens; whether Kafka is there is another question. */
  static async start(environment: Readonly<Record<string, string>>): Promise<IngestWorker> {
    const [ingestPort, rawTextPort] = [await freePort(), await freePort()];
    const worker = new WorkerProcess('workers/ingest.ts', {
      INGEST_PORT: String(ingestPort),
      RAW_TEXT_PORT: String(rawTextPort),
      ...environment,
    });
    const started = new IngestWorker(worker, ingestPort, rawTextPort);
    await eventually(
      'the ingest worker listens',
      async () => {
        if (!worker.isRunning) throw new Error(`the worker ended: ${worker.output}`);
        return (await fetch(started.url('/healthz'))).ok;
      },
      undefined,
      50,
    );
    return started;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.ingestPort}${path}`;
  }

  async readiness(): Promise<{ status: number; problems: string[] }> {
    if (!this.process.isRunning) throw new Error(`the worker ended: ${this.process.output}`);
    const response = await fetch(this.url('/readyz'));
    return { status: response.status, problems: ((await response.json()) as { problems: string[] }).problems };
  }

  async untilReady(): Promise<void> {
    await eventually('the ingest worker is ready', async () => (await this.readiness()).status === 200, undefined, 100);
  }

  async post(
    body: string,
  ): Promise<{ status: number; retryAfter: string | null; body: { accepted?: number; code?: string } }> {
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await fetch(this.url('/ingest'), { method: 'POST', headers, body });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: (await response.json()) as { accepted?: number },
    };
  }

  /** What waits in the worker for Kafka's acknowledgement. */
  async queuedBytes(): Promise<number> {
    const page = await (await fetch(this.url('/metrics'))).text();
    return Number(/^powergrid_producer_queue_bytes\{[^}]*\} (\d+)/m.exec(page)?.[1] ?? Number.NaN);
  }

  peakResidentMiB(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  }
}

/** Sends batches over some connections until told to stop, and keeps account of what was acknowledged. */
export class Load {
  /** Envelopes of batches that were answered with 202. */
  readonly acknowledged: string[] = [];
  /** Statuses of the other answers; 0 where the connection failed. */
  readonly refused: number[] = [];
  readonly #worker: IngestWorker;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(worker: IngestWorker, connections = 4, batchReadings = 100) {
    this.#worker = worker;
    this.#running = Promise.all(Array.from({ length: connections }, () => this.#send(batchReadings))).then(
      () => undefined,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #send(batchReadings: number): Promise<void> {
    while (!this.#stopped) {
      const batch = Array.from({ length: batchReadings }, (_, index) => makeEnvelope({ sensorId: String(index % 20) }));
      const status = await this.#worker.post(batch.join('\n')).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 202) this.acknowledged.push(...batch);
      else {
        this.refused.push(status);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
