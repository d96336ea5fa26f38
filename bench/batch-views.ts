/**
 * Batch views: the workflow `buildBatchViews`, from its start to its result, beside the same two statements run by the bare hive-driver over the same
 * files, without a plan, a check, or PostgreSQL; then a build that adds 1 % late readings of one day. CPU is that of the server that `HIVE_URL` names
 * (HiveServer2, or Spark's Thrift server), which runs its tasks itself on the local stack.
 *
 *   npm run bench -- batch-views [readings, default 1000000] [runs, default 3] [days, default 10]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auth, connections, HiveClient as DriverClient, thrift } from 'hive-driver';
import {
  addUpStatement,
  dropStatements,
  readingTables,
  readStatement,
  windowsTableStatement,
} from '../activities/views/statements.ts';
import { EventDays } from '../activities/readings/days.ts';
import { CommittedFiles } from '../activities/readings/committed-files.ts';
import { listedFiles } from '../activities/readings/file-list.ts';
import { parseHiveUrl } from '../connectors/hive/address.ts';
import { RESOLUTIONS } from '../grid/aggregate/window.ts';
import { encodeEnvelope } from '../grid/envelope.ts';
import { settingsFromConfig, sqlServerOf } from '../infra/native/settings.ts';
import { loadConfig } from '../runtime/config.ts';
import { TOPIC } from '../test/hdfs-sink/writer-bed.ts';
import { ViewsBed } from '../test/views/views-bed.ts';

const readings = Number(process.argv[2] ?? 1_000_000);
const runs = Number(process.argv[3] ?? 3);
const days = Number(process.argv[4] ?? 10);
const config = loadConfig();
const COMMIT = 100_000;
const SENSORS = 1_000;
const FIRST_SECOND = Date.parse('2024-03-01T00:00:00Z') / 1_000;
const TICKS_PER_SECOND = 100;

/** A thousand sensors, each as often as fills the days evenly. */
function envelope(index: number): string {
  const periodMs = (days * 86_400_000) / Math.ceil(readings / SENSORS);
  const ms = Math.floor(Math.floor(index / SENSORS) * periodMs) + (index % SENSORS);
  return encodeEnvelope({
    sensorId: String(index % SENSORS),
    modality: (((index * 7_919) % 1_000_000) / 1_000).toFixed(3),
    unit: 'MW',
    aspect: 'real_time',
    correlationId: `${String((index * 7_919) % 99_999_989).padStart(8, '0')}-1111-4111-8111-${String(index).padStart(12, '0')}`,
    createdAt: (FIRST_SECOND + ms / 1_000).toFixed(3),
  });
}

/** CPU seconds of HiveServer2 so far; NaN where it is not the local stack's. */
async function hiveCpuSeconds(): Promise<number> {
  try {
    const record: unknown = JSON.parse(
      await readFile(join(config.STACK_HOME, 'run', `${sqlServerOf(settingsFromConfig(config))}.json`), 'utf8'),
    );
    const pid = typeof record === 'object' && record !== null && 'pid' in record ? Number(record.pid) : Number.NaN;
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

async function measured(what: string, work: () => Promise<string>): Promise<void> {
  const [cpu, began] = [await hiveCpuSeconds(), performance.now()];
  const note = await work();
  const seconds = (performance.now() - began) / 1_000;
  const cpuSeconds = (await hiveCpuSeconds()) - cpu;
  console.log(
    `${what.padEnd(48)} ${seconds.toFixed(1).padStart(8)} s ${cpuSeconds.toFixed(1).padStart(8)} CPU s  ${note}`,
  );
}

async function bare(bed: ViewsBed, directory: string): Promise<string> {
  const { host, port, settings } = parseHiveUrl(config.HIVE_URL, config.HDFS_USER);
  const client = new DriverClient(thrift.TCLIService as object, thrift.TCLIService_types as never);
  client.on('error', () => undefined);
  await client.connect({ host, port }, new connections.TcpConnection(), new auth.NoSaslAuthentication());
  const session = await client.openSession({
    client_protocol: 9,
    username: config.HDFS_USER,
    configuration: Object.fromEntries(Object.entries(settings).map(([name, value]) => [`set:hiveconf:${name}`, value])),
  });
  const tables = { database: bed.hiveDatabase, buildId: 'bare', tryName: 'bare' };
  const dialect = await bed.hive.dialect();
  for (const statement of [
    ...dropStatements(tables),
    ...(await readingTables(tables, dialect, {
      links: listedFiles(bed.hdfs, `${directory}/links`),
      othersDirectory: `${directory}/others`,
    })),
    windowsTableStatement(tables, `${directory}/windows`),
    readStatement(tables, dialect),
    addUpStatement(tables, tables, { days: EventDays.all.stretches, resolutions: RESOLUTIONS, hasOthers: false }),
    ...dropStatements(tables),
  ]) {
    const operation = await session.executeStatement(statement, { runAsync: true });
    // The server holds each answer back until it has news.
    do await operation.status(false);
    while (!operation.finished());
    await operation.close();
  }
  await session.close();
  client.close();
  return '';
}

const bed = await ViewsBed.open();
try {
  for (let at = 0; at < readings; at += COMMIT) {
    const count = Math.min(COMMIT, readings - at);
    await bed.commit(Array.from({ length: count }, (_, index) => envelope(at + index)));
  }
  const directory = `${bed.files.topicsDirectory}-analysis/bare`;
  const paths: string[] = [];
  const committed = new CommittedFiles(bed.hdfs, bed.files.topicsDirectory, TOPIC);
  for await (const { files } of committed.commits(0, 0)) paths.push(...files.map(({ path }) => path));
  await bed.hdfs.writeFile(`${directory}/links/files`, Buffer.from(paths.map((path) => `${path}\n`).join('')), {
    createParent: true,
  });
  console.log(`${readings} readings of ${SENSORS} sensors and ${days} days in ${paths.length} files`);
  for (let run = 1; run <= runs; run++) {
    await measured('buildBatchViews, all', async () => {
      const { windows } = await bed.build({ rebuild: true });
      return `${windows.computed} windows, ${windows.new} new`;
    });
    await measured('bare hive-driver, the same two statements', () => bare(bed, directory));
    const late = Array.from({ length: Math.ceil(readings / 100) }, (_, index) =>
      envelope(index).replace('-1111-', `-${String(2_000 + run)}-`),
    );
    await bed.commit(late);
    await measured('buildBatchViews, 1 % late, of the first day', async () => {
      const { windows, readings: read } = await bed.build();
      return `${read} readings read, ${windows.changed} windows changed`;
    });
  }
} finally {
  await bed.close();
}
