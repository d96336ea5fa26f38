/**
 * Kafka to HDFS: the project's sink (exactly once, verified) beside a bare kafkajs consumer (no guarantees) and, when asked,
 * Flume with its durable file channel (at least once). All read the same topic from its beginning, in turn, each time into a
 * directory of their own; what they wrote is checked, then removed.
 *
 *   npm run bench -- hdfs-sink [--records 1000000] [--runs 3] [--with-flume]
 */
import { Command, InvalidArgumentError } from 'commander';
import { Kafka, logLevel } from 'kafkajs';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { SideResult } from '../compare/result.ts';
import { npmScript } from '../../infra/launch/npm-script.ts';
import { runSide } from '../compare/side.ts';
import { commonFigures, comparisonTables } from '../compare/table.ts';
import { installFlume, runFlume } from '../peers/flume/flume.ts';
import { deleteTopic, fillTopic, PARTITIONS } from './compare/feed.ts';
import type { SideRun } from './compare/run.ts';

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number of at least 1.');
  return Number(text);
}

const options = new Command('hdfs-sink')
  .description('Kafka to HDFS: the sink beside a bare consumer, and beside Flume')
  .option('--records <count>', 'envelopes in the topic', atLeastOne, 1_000_000)
  .option('--runs <count>', 'runs of each side, in turn', atLeastOne, 3)
  .option('--with-flume', 'also run Flume 1.11 with a file channel (fetched by Maven, needs Java 17 and 2 GB)', false)
  .parse()
  .opts<{ records: number; runs: number; withFlume: boolean }>();

const config = loadConfig();
const webHdfsUrl = config.WEBHDFS_URL[0] ?? '';
const kafka = new Kafka({ clientId: 'bench', brokers: config.KAFKA_BROKERS, logLevel: logLevel.ERROR });
const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
const topic = `bench-hdfs-sink-${process.pid}-${Date.now()}`;
const root = `/bench/${topic}`;
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopping.abort(new Error(`stopped by ${signal}`));
  });
}

/** Length of all files below a directory, except what lies in directories and files that begin with `_` or `.`. */
async function dataBytes(directory: string): Promise<number> {
  let bytes = 0;
  for await (const entry of hdfs.list(directory)) {
    if (entry.name.startsWith('_') || entry.name.startsWith('.')) continue;
    bytes += entry.type === 'directory' ? await dataBytes(entry.path) : entry.lengthBytes;
  }
  return bytes;
}

type Side = (run: SideRun) => Promise<SideResult>;
const sides = new Map<string, Side>([
  ['sink', (run) => runSide('bench/hdfs-sink/compare/sink.ts', npmScript('worker:speed').flags, run, stopping.signal)],
  ['bare', (run) => runSide('bench/hdfs-sink/compare/bare.ts', [], run, stopping.signal)],
]);

try {
  if (options.withFlume) {
    console.log('Fetching Flume (the first time takes a minute) …');
    const flume = await installFlume(config.STACK_HOME, stopping.signal);
    sides.set('Flume, file channel', (run) => runFlume(flume, run, stopping.signal));
  }
  console.log(`Filling a topic of ${PARTITIONS} partitions with ${options.records} envelopes …`);
  const lineBytes = await fillTopic(kafka, topic, options.records);
  console.log(`  ${(lineBytes / options.records - 1).toFixed(1)} bytes each`);
  const results = new Map<string, SideResult[]>([...sides.keys()].map((name) => [name, []]));
  for (let run = 1; run <= options.runs; run++) {
    for (const [name, side] of sides) {
      stopping.signal.throwIfAborted();
      const directory = `${root}/${name.replace(/\W+/g, '-')}-${run}`;
      const result = await side({
        brokers: config.KAFKA_BROKERS,
        webHdfsUrl,
        topic,
        records: options.records,
        directory,
      });
      const written = await dataBytes(directory);
      if (written !== lineBytes) throw new Error(`${name} left ${written} bytes in HDFS instead of ${lineBytes}`);
      await hdfs.delete(directory, { recursive: true });
      results.get(name)?.push(result);
      console.log(
        `  run ${run}, ${name}: ${result.recordsPerSecond} records/s, ${result.cpuSecondsPerMillion.toFixed(1)} CPU s per million, ${result.peakResidentMiB} MiB`,
      );
    }
  }
  console.log(`\nMedians of ${options.runs} runs (least–most), ${options.records} records:\n`);
  console.log(comparisonTables(results, commonFigures('records')));
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  console.error('Stopped.');
  process.exitCode = 130;
} finally {
  await hdfs.delete(root, { recursive: true });
  await hdfs.close();
  await deleteTopic(kafka, topic);
}
