/**
 * How fast the sources make readings, by themselves and into Kafka: the simulator (10,000 sensors, no pace) and the file
 * source (SimBench, where it is set up). The difference between the two sides is what sending costs.
 *
 *   npx tsx bench/simulator.ts [records, default 1000000] [runs, default 3]
 */
import { join } from 'node:path';
import { createKafka } from '../connectors/kafka/client.ts';
import { KafkaProducer } from '../connectors/kafka/produce/producer.ts';
import type { RecordProducer } from '../connectors/kafka/produce/record-producer.ts';
import { ensureTopics } from '../connectors/kafka/topics/topics.ts';
import { provideSimbench } from '../infra/datasets/simbench.ts';
import { PROJECT_DIRECTORY } from '../infra/native/settings.ts';
import { loadConfig } from '../runtime/config.ts';
import { createLogger } from '../runtime/logger.ts';
import { openFileSource } from '../streaming/sources/file/open-file-source.ts';
import { readMapping } from '../streaming/sources/file/mapping.ts';
import { PacedClock } from '../streaming/sources/pacing/paced-clock.ts';
import type { PacedSource } from '../streaming/sources/pacing/paced-source.ts';
import { SourceRunner } from '../streaming/sources/pacing/source-runner.ts';
import { createSimulatorSource } from '../streaming/sources/simulator/simulator-source.ts';

const [count = 1_000_000, runs = 3] = process.argv.slice(2).map(Number);
const SENSORS = 10_000;
const PARTITIONS = 6;

const config = loadConfig();
const logger = createLogger({ name: 'bench', level: 'error', format: 'json' });
const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'bench', logger });
const topic = `bench-simulator-${process.pid}`;

/** Takes everything at once: what is left is the source itself. */
const nothing: RecordProducer = {
  queuedBytes: 0,
  send: () => Promise.resolve(),
  ready: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

interface Run {
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMegabytes: number;
}

async function measure(source: PacedSource, producer: RecordProducer): Promise<Run> {
  const clock = new PacedClock({ startMs: 0, speed: 0 });
  let peakBytes = 0;
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 100);
  const cpuBefore = process.cpuUsage();
  const { report, failure } = await new SourceRunner({ source, producer, clock, logger }).run();
  const { user, system } = process.cpuUsage(cpuBefore);
  clearInterval(sampler);
  if (failure !== undefined) throw failure;
  const total = report.acknowledged['total'] ?? 0;
  return {
    recordsPerSecond: report.recordsPerSecond,
    cpuSecondsPerMillion: (user + system) / total,
    peakMegabytes: Math.max(peakBytes, process.memoryUsage.rss()) / 1e6,
  };
}

function simulator(): Promise<PacedSource> {
  return Promise.resolve(
    createSimulatorSource({
      ...{ topic, sensors: SENSORS, firstSensorId: 1, seed: 1, rateHz: 1, startMs: Date.now() - 3_600_000, count },
      ...{ predictionShare: 0.1, predictionHorizonSeconds: 900, maxEnvelopeBytes: 65_536 },
      ...{ duplicateShare: 0, outOfOrderShare: 0, lateShare: 0, malformedShare: 0 },
    }),
  );
}

async function simbench(): Promise<PacedSource | undefined> {
  const result = await provideSimbench(join(PROJECT_DIRECTORY, config.STACK_HOME), () => undefined);
  if (result.kind === 'unavailable') return undefined;
  const { source } = await openFileSource({
    ...{ mapping: await readMapping(result.mappingFile), directory: result.directory, logger },
    ...{ readingsTopic: topic, unorganizedTopic: topic, speed: 0, timestamps: 'original', loop: false },
    maxAheadMs: 3_600_000,
  });
  return limited(source);
}

/** The first `count` readings, about. */
function limited(source: PacedSource): PacedSource {
  let taken = 0;
  return {
    name: source.name,
    async take(untilMs, maxRecords) {
      if (taken >= count) return { kind: 'finished' };
      const result = await source.take(untilMs, maxRecords);
      if (result.kind === 'batch') taken += result.batch.counts.total;
      return result;
    },
    close: () => source.close(),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const results = new Map<string, Run[]>();
const producer = new KafkaProducer({
  brokers: config.KAFKA_BROKERS,
  clientId: 'bench',
  logger,
  queueBytes: config.KAFKA_PRODUCER_QUEUE_BYTES,
});
const topics = [{ name: topic, partitions: PARTITIONS, replicationFactor: 1, retentionMs: -1 }];
try {
  await ensureTopics({ kafka, topics, logger });
  for (let run = 0; run < runs; run += 1) {
    for (const [name, open] of [
      ['simulator', simulator],
      ['file source (SimBench)', simbench],
    ] as const) {
      for (const [target, into] of [
        ['nothing', nothing],
        ['Kafka', producer],
      ] as const) {
        const source = await open();
        if (source === undefined) continue;
        const key = `${name} → ${target}`;
        results.set(key, [...(results.get(key) ?? []), await measure(source, into)]);
      }
    }
  }
} finally {
  await producer.close(5_000);
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}
console.log(`${count} records, medians of ${runs}; peak memory is that of the whole benchmark process up to then`);
console.table(
  Object.fromEntries(
    [...results].map(([name, measured]) => [
      name,
      {
        'records/s': Math.round(median(measured.map(({ recordsPerSecond }) => recordsPerSecond))),
        'CPU s per 1M': Number(median(measured.map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion)).toFixed(1)),
        'peak MB': Math.round(median(measured.map(({ peakMegabytes }) => peakMegabytes))),
      },
    ]),
  ),
);
