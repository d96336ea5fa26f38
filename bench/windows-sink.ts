/**
 * The windows sink: readings per second of 1,000 sensors that report once a second, through Kafka (six partitions) into minute, hour and day of
 * PostgreSQL, every revision into Kafka: the speed worker, a process of its own, with this sink alone.
 *
 *   npm run bench -- windows-sink [readings, default 1000000] [runs, default 3]
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { createKafka } from '../connectors/kafka/client.ts';
import { ensureTopics } from '../connectors/kafka/topics/topics.ts';
import { ServingDatabase } from '../connectors/postgres/serving/serving-database.ts';
import { loadConfig } from '../runtime/config.ts';
import { WorkerProcess } from '../test/support/worker-process.ts';
import { cpuSeconds, machineCpuSeconds, peakResidentMiB } from './compare/process-usage.ts';
import type { SideResult } from './compare/result.ts';
import { commonFigures, comparisonTables } from './compare/table.ts';
import { deleteTopic, fillTopic } from './hdfs-sink/compare/feed.ts';

const readings = Number(process.argv[2] ?? 1_000_000);
const runs = Number(process.argv[3] ?? 3);
const POLL_MS = 20;

const config = loadConfig();
const logger = pino({ level: 'silent' });
const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'bench', logger });
const name = `bench-${randomUUID().slice(0, 8)}`;
const schema = name.replaceAll('-', '_');
const aggregates = `${name}.AGGREGATES`;
const database = new ServingDatabase({
  url: config.SERVING_DATABASE_URL,
  schema,
  maxConnections: 1,
  timeoutMs: 60_000,
  applicationName: 'bench',
});

async function readSoFar(): Promise<number> {
  const [row] = await database.query<{ sum: number }>(
    `SELECT coalesce(sum(next_offset), 0)::float8 AS sum FROM ${schema}.speed_position`,
  );
  return row?.sum ?? 0;
}

/** From when the worker reads until all is in the views. */
async function measure(run: number): Promise<SideResult> {
  await database.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await database.migrate();
  const worker = new WorkerProcess('npm:worker:speed', {
    SPEED_SINKS: 'windows',
    TOPIC_INGESTION: name,
    TOPIC_AGGREGATES: aggregates,
    SERVING_SCHEMA: schema,
    CONSUMER_GROUP_PREFIX: `${name}.${run}`,
    SPEED_METRICS_PORT: '0',
    LOG_LEVEL: 'warn',
  });
  try {
    const isRunning = (): void => {
      if (!worker.isRunning) throw new Error(`the worker ended: ${worker.output}`);
    };
    // Where it begins to read it has used what starting takes; the first transaction comes a moment later.
    const [positions] = [`SELECT 1 FROM ${schema}.speed_position`];
    while ((await database.query(positions)).length === 0) {
      isRunning();
      await delay(POLL_MS);
    }
    const begun = { ms: performance.now(), cpu: cpuSeconds(worker.pid), machine: machineCpuSeconds() };
    while ((await readSoFar()) < readings) {
      isRunning();
      await delay(POLL_MS);
    }
    const seconds = (performance.now() - begun.ms) / 1_000;
    return {
      records: readings,
      seconds,
      recordsPerSecond: Math.round(readings / seconds),
      cpuSecondsPerMillion: ((cpuSeconds(worker.pid) - begun.cpu) / readings) * 1e6,
      machineCpuSecondsPerMillion: ((machineCpuSeconds() - begun.machine) / readings) * 1e6,
      peakResidentMiB: Math.round(peakResidentMiB(worker.pid)),
    };
  } finally {
    await worker.stop();
  }
}

try {
  await fillTopic(kafka, name, readings);
  await ensureTopics({
    kafka,
    logger,
    topics: [{ name: aggregates, partitions: 6, replicationFactor: 1, retentionMs: -1 }],
  });
  const results: SideResult[] = [];
  for (let run = 0; run < runs; run++) results.push(await measure(run));
  const figures = [
    ...commonFigures('readings'),
    {
      title: 'CPU s per million, whole machine',
      of: (result: SideResult) => result.machineCpuSecondsPerMillion,
      digits: 1,
    },
  ];
  console.log(comparisonTables(new Map([['the sink', results]]), figures));
  const [written] = await database.query<{ rows: string; changes: string; readings: string }>(
    `SELECT count(*) AS rows, sum(revision) AS changes, sum(reading_count) FILTER (WHERE resolution = 'day') AS readings
     FROM ${schema}.speed_view`,
  );
  console.log(
    `${written?.readings ?? ''} readings in ${written?.rows ?? ''} rows, which were written ${written?.changes ?? ''} times`,
  );
} finally {
  await database.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await database.close();
  await deleteTopic(kafka, name);
  await deleteTopic(kafka, aggregates);
}
