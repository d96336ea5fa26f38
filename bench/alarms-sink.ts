/**
 * The alarms sink: readings per second of 1,000 sensors through Kafka (six partitions) under some rules that all of them are watched by: the speed worker, a process of
 * its own, with this sink alone.
 *
 *   npm run bench -- alarms-sink [readings, default 1000000]
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { createKafka } from '../connectors/kafka/client.ts';
import { ensureTopics } from '../connectors/kafka/topics/topics.ts';
import { ServingDatabase } from '../connectors/postgres/serving/serving-database.ts';
import { loadConfig } from '../runtime/config.ts';
import { WorkerProcess } from '../test/support/worker-process.ts';
import { cpuSeconds, peakResidentMiB } from './compare/process-usage.ts';
import { deleteTopic, fillTopic } from './hdfs-sink/compare/feed.ts';

const readings = Number(process.argv[2] ?? 1_000_000);
const POLL_MS = 20;
/** One of each kind that a reading is judged by, none of which is ever raised. */
const RULES = [
  { id: 'silent', kind: 'stale' },
  { id: 'range', kind: 'out-of-range', above: { raise: 1e9 }, below: { raise: -1e9 } },
  { id: 'rate', kind: 'rate-of-change', change: { raise: 1e9 } },
  { id: 'stuck', kind: 'stuck', forSeconds: 1e6 },
];

const config = loadConfig();
const logger = pino({ level: 'silent' });
const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'bench', logger });
const name = `bench-${randomUUID().slice(0, 8)}`;
const schema = name.replaceAll('-', '_');
const directory = mkdtempSync(join(tmpdir(), 'bench-alarms-'));
const rulesFile = join(directory, 'rules.json');
writeFileSync(rulesFile, JSON.stringify({ rules: RULES }));
const database = new ServingDatabase({
  url: config.SERVING_DATABASE_URL,
  schema,
  maxConnections: 1,
  timeoutMs: 60_000,
  applicationName: 'bench',
});

try {
  await database.migrate();
  await fillTopic(kafka, name, readings);
  const topics = [{ name: `${name}.ALARMS`, partitions: 6, replicationFactor: 1, retentionMs: -1 }];
  await ensureTopics({ kafka, logger, topics });
  const worker = new WorkerProcess('npm:worker:speed', {
    SPEED_SINKS: 'alarms',
    ALARM_RULES: rulesFile,
    TOPIC_INGESTION: name,
    TOPIC_ALARMS: `${name}.ALARMS`,
    SERVING_SCHEMA: schema,
    CONSUMER_GROUP_PREFIX: name,
    SPEED_METRICS_PORT: '0',
    LOG_LEVEL: 'warn',
  });
  const position = async (): Promise<number> => {
    if (!worker.isRunning) throw new Error(`the worker ended: ${worker.output}`);
    // The position moves when there is something to write; how far it has read, its group says.
    const offsets = await admin.fetchOffsets({ groupId: `${name}.alarms`, topics: [name] });
    return (offsets[0]?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  };
  const admin = kafka.admin();
  await admin.connect();
  while ((await database.query(`SELECT 1 FROM ${schema}.alarm_position`)).length === 0) await delay(POLL_MS);
  const begun = { ms: performance.now(), cpu: cpuSeconds(worker.pid) };
  while ((await position()) < readings) await delay(POLL_MS);
  const seconds = (performance.now() - begun.ms) / 1_000;
  const perMillion = ((cpuSeconds(worker.pid) - begun.cpu) / readings) * 1e6;
  console.log(
    `${readings} readings in ${seconds.toFixed(1)} s: ${Math.round(readings / seconds)}/s, ${perMillion.toFixed(1)} s of CPU per million, at most ${Math.round(peakResidentMiB(worker.pid))} MiB resident`,
  );
  await worker.stop();
  await admin.disconnect();
} finally {
  await database.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await database.close();
  await deleteTopic(kafka, name);
  await deleteTopic(kafka, `${name}.ALARMS`);
  rmSync(directory, { recursive: true, force: true });
}
