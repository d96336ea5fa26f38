import { createHash, randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import type { ImportProgress, ImportSummary } from '../../workflows/import/contract.ts';
import { freePorts } from '../../infra/native/ports.ts';
import { environmentOf, settingsFromConfig, type ServerName, type StackPlace } from '../../infra/native/settings.ts';
import { bringUp, kill, takeDown } from '../../infra/native/stack.ts';
import { createLogger } from '../../runtime/logger.ts';
import { filesBelow } from '../hdfs-sink/master-data.ts';
import { eventually } from '../support/eventually.ts';
import { sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { createHistory, FIRST_ROWS, MOST_IDS, readAtSnapshot, Writers } from './source-history.ts';

const SERVERS: readonly ServerName[] = ['hdfs', 'postgres', 'temporal', 'hive'];
const TABLES = ['public.readings', 'public.no_key', 'public.nothing'];
const ROUNDS_OF_KILLS = sized(1, 2);
const SPLIT_ROWS = FIRST_ROWS / 20;
/** Imports, one after the other; slowed down where everything is killed meanwhile. */
const RUNS = [
  { leastKills: 5, keepsDeletedRows: false, maxBytesPerSecond: sized(4_000_000, 12_000_000) },
  { leastKills: 1, keepsDeletedRows: true, maxBytesPerSecond: sized(600_000, 2_000_000), mode: 'merge' },
  { leastKills: 0, keepsDeletedRows: false, mode: 'merge', reconcile: true },
];

/** A stack of its own, since its servers are killed. */
const settings = settingsFromConfig();
const STACK_HOME = join(settings.home, 'test-import-under-fire');
const place: StackPlace = { stackHome: STACK_HOME, installHome: settings.installHome };
let environment: Record<string, string>;
let historyUrl: string;
let connection: Connection;
let client: Client;
let hdfs: HdfsClient;
let hive: HiveClient;
let workers: WorkerProcess[] = [];
let writers: Writers | undefined;

const startWorker = (): WorkerProcess => new WorkerProcess('npm:worker:batch', environment);

beforeAll(async () => {
  place.ports = await freePorts();
  await takeDown([...SERVERS], place);
  await rm(STACK_HOME, { recursive: true, force: true });
  await bringUp([...SERVERS], place);
  environment = {
    ...environmentOf(place),
    BATCH_METRICS_PORT: '0',
    NIGHTLY_IMPORT: 'off',
    NIGHTLY_VIEWS: 'off',
    NIGHTLY_COMPACTION: 'off',
    HISTORY_TELEMETRY_FILE: '',
    HIVE_CALL_TIMEOUT_MS: '60000',
  };
  historyUrl = environment['HISTORY_POSTGRES_URL'] ?? '';
  await createHistory(historyUrl);
  connection = await Connection.connect({ address: environment['TEMPORAL_ADDRESS'] ?? '' });
  client = new Client({ connection });
  hdfs = new HdfsClient({ nameNodeUrls: [environment['WEBHDFS_URL'] ?? ''], user: 'powergrid' });
  hive = new HiveClient({
    url: environment['HIVE_URL'] ?? '',
    user: 'powergrid',
    callTimeoutMs: 300_000,
    logger: createLogger({ name: 'test', level: 'silent', format: 'json' }),
  });
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await writers?.stop();
  await hive.close();
  await hdfs.close();
  await connection.close();
  await takeDown([...SERVERS], place);
});

/** Rows of the view; undefined when there is no view, or Hive does not answer. */
async function visibleRows(): Promise<number | undefined> {
  try {
    for await (const [count] of hive.query('SELECT CAST(count(*) AS STRING) FROM history_postgres.readings')) {
      return Number(count);
    }
  } catch {
    // Hive is killed like the others.
  }
  return undefined;
}

const idOf = (line: string): number => Number(line.slice(0, line.indexOf('|')));

/** The first eight bytes of each row's MD5, at the place of its id. */
class RowHashes {
  readonly #hashes = new BigUint64Array(MOST_IDS);
  rows = 0;
  repeated = 0;

  add(line: string): void {
    if (this.has(line)) this.repeated++;
    this.#hashes[idOf(line)] = createHash('md5').update(line).digest().readBigUInt64LE() | 1n;
    this.rows++;
  }

  has(line: string): boolean {
    return this.#hashes[idOf(line)] !== 0n;
  }

  /** Ids whose rows differ, or are missing on one side; the first ten. */
  differences(other: RowHashes): number[] {
    const ids: number[] = [];
    for (let id = 0; id < MOST_IDS && ids.length < 10; id++) {
      if (this.#hashes[id] !== other.#hashes[id]) ids.push(id);
    }
    return ids;
  }
}

/** The table as Hive shows it, each row written as `trace.line` writes it. */
async function readThroughHive(): Promise<RowHashes> {
  const hashes = new RowHashes();
  const rows = hive.query(
    `SELECT concat_ws('|', CAST(id AS STRING), sensor_id, CAST(measured_at AS STRING),
       coalesce(CAST(value AS STRING), '-'), coalesce(md5(note), '-')) FROM history_postgres.readings`,
  );
  for await (const [line] of rows) hashes.add(line ?? '');
  return hashes;
}

/** The source at the first snapshot, with the rows that have gone from it since the other ones, the newest of them first. */
async function readSource(snapshots: readonly string[]): Promise<RowHashes> {
  const hashes = new RowHashes();
  for (const [age, snapshot] of snapshots.entries()) {
    await readAtSnapshot(historyUrl, snapshot, (line) => {
      if (age === 0 || !hashes.has(line)) hashes.add(line);
    });
  }
  return hashes;
}

/** Kills everything again and again until the workflow has ended, or the rounds are over; all is up again afterwards. */
async function fire(handle: WorkflowHandle): Promise<number> {
  let kills = 0;
  const isRunning = async (): Promise<boolean> => {
    const description = await handle.describe().catch(() => undefined);
    return description === undefined || description.status.name === 'RUNNING';
  };
  for (let round = 0; round < ROUNDS_OF_KILLS; round++) {
    for (const victim of ['worker', 'postgres', 'namenode', 'worker', 'temporal', 'datanode', 'hive'] as const) {
      await delay(800 + randomInt(2_500));
      if (!(await isRunning())) return kills;
      kills++;
      if (victim === 'worker') {
        const [killed] = workers.splice(randomInt(workers.length), 1);
        await killed?.kill();
        workers.push(startWorker());
      } else {
        kill(victim, 'SIGKILL', place);
        await delay(randomInt(1_500));
        await bringUp([...SERVERS], place);
      }
    }
  }
  return kills;
}

describe(`an import of ${FIRST_ROWS.toLocaleString('en')} rows, while the source is written to and everything is killed`, () => {
  it('shows exactly one snapshot of the source, row by row, and never anything in between', async () => {
    const writing = new Writers(historyUrl);
    writers = writing;
    workers = [startWorker(), startWorker()];
    const seen = new Set<number>();
    const watching = new AbortController();
    /** One query at a time is enough for a small Hive. */
    const reading = { isUnderWay: false };
    const watch = (async () => {
      while (!watching.signal.aborted) {
        const rows = reading.isUnderWay ? undefined : await visibleRows();
        if (rows !== undefined) seen.add(rows);
        await delay(500);
      }
    })();

    // What the table has to show after each run, as the snapshots that it shows; only reconciliation finds deleted rows.
    const shownSnapshots: string[] = [];
    // Nobody ever counts anything but these: the rows after each run.
    const whole: number[] = [];
    for (const [run, { leastKills, keepsDeletedRows, ...input }] of RUNS.entries()) {
      const handle = await eventually('the import has started', async () =>
        client.workflow.start('importSqlHistory', {
          taskQueue: 'batch',
          workflowId: `under-fire-${run}`,
          args: [{ tables: TABLES, splitRows: SPLIT_ROWS, ...input }],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      );
      // A source that is away while the import opens is an answer, not a fault to survive.
      await eventually('the import has opened', async () => {
        const { phase } = await handle.query<ImportProgress>('progress');
        return phase === 'opening' ? undefined : phase;
      });
      const kills = leastKills > 0 ? await fire(handle) : 0;
      await bringUp([...SERVERS], place);
      const workerEnded = workers.map(async (worker) => {
        await worker.ended;
        throw new Error(`a worker ended by itself; it wrote: ${worker.output}`);
      });
      const summary = (await Promise.race([handle.result(), ...workerEnded]).catch((error: unknown) => {
        throw new Error(`run ${run} failed; a worker wrote: ${workers[0]?.output ?? ''}`, { cause: error });
      })) as ImportSummary;
      expect(kills).toBeGreaterThanOrEqual(leastKills);
      if (!keepsDeletedRows) shownSnapshots.length = 0;
      shownSnapshots.unshift(summary.snapshot?.position ?? '');

      reading.isUnderWay = true;
      const [source, shown] = [await readSource(shownSnapshots), await readThroughHive()];
      expect([shown.rows, shown.repeated], `run ${run}`).toEqual([source.rows, 0]);
      expect(shown.differences(source), `run ${run}`).toEqual([]);
      whole.push(source.rows);
      reading.isUnderWay = false;
      expect(summary.tables.map(({ table }) => `${table.schema}.${table.name}`).sort()).toEqual([...TABLES].sort());
    }
    watching.abort();
    await watch;
    await writing.stop();
    expect(writing.transactions).toBeGreaterThan(20);

    expect([...seen].filter((rows) => !whole.includes(rows))).toEqual([]);

    for (const worker of workers.splice(0))
      expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(await filesBelow(hdfs, '/imports/.tmp')).toEqual([]);
  }, 1_800_000);
});
