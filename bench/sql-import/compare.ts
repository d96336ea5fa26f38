/**
 * SQL to HDFS: the project's import (one snapshot, gzip, verified by value, resumable) beside what an operator would type
 * (`psql … \copy | gzip -1`), a bare Node pipe and, when asked, Apache Sqoop; and from SQL Server beside a bare SELECT. All
 * read the same table, in turn; what they wrote is read back and checked, then removed.
 *
 *   npm run bench -- sql-import [--rows 10000000] [--runs 3] [--with-sqoop] [--sqlserver] [--keep-table]
 */
import { Command, InvalidArgumentError } from 'commander';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { SideResult } from '../compare/result.ts';
import { commonFigures, comparisonTables, type Figure } from '../compare/table.ts';
import { requireSame } from './content.ts';
import { postgresSource } from './postgres-source.ts';
import type { Bench, Source } from './side.ts';
import { sqlServerSource } from './sqlserver-source.ts';
import type { TelemetryTable } from './telemetry-table.ts';

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number of at least 1.');
  return Number(text);
}

const options = new Command('sql-import')
  .description('SQL to HDFS: the import beside psql, a bare pipe, and Sqoop')
  .option('--rows <count>', 'rows of the telemetry table', atLeastOne, 10_000_000)
  .option('--runs <count>', 'runs of each side, in turn', atLeastOne, 3)
  .option('--with-sqoop', 'also run Sqoop 1.4.7 (fetched by Maven, needs a JDK 17)', false)
  .option('--sqlserver', 'also import from the SQL Server that HISTORY_MSSQL_URL names', false)
  .option('--keep-table', 'leave the telemetry table in the database for the next time', false)
  .parse()
  .opts<{ rows: number; runs: number; withSqoop: boolean; sqlserver: boolean; keepTable: boolean }>();

const transferRate = (result: SideResult) => result.transferRecordsPerSecond ?? result.recordsPerSecond;
const [rate, ...usage] = commonFigures('rows');
const FIGURES: readonly Figure<SideResult>[] = [
  ...(rate === undefined ? [] : [rate]),
  { title: 'rows/s in transfer', of: transferRate, digits: 0 },
  ...usage,
  { title: 'CPU s per million, whole machine', of: (result) => result.machineCpuSecondsPerMillion, digits: 1 },
];

const config = loadConfig();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopping.abort(new Error(`stopped by ${signal}`));
  });
}
const bench: Bench = {
  config,
  hdfs: new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER }),
  name: `bench_import_${process.pid}_${Date.now().toString(36)}`,
  rows: options.rows,
  withSqoop: options.withSqoop,
  signal: stopping.signal,
};
const root = `/bench/${bench.name}`;

async function compare(source: Source, table: TelemetryTable): Promise<void> {
  const sides = await source.sides(table);
  const results = new Map<string, SideResult[]>([...sides.keys()].map((side) => [side, []]));
  for (let number = 1; number <= options.runs; number++) {
    for (const [at, [side, run]] of [...sides].entries()) {
      stopping.signal.throwIfAborted();
      const directory = `${root}/${number}-${at}`;
      const { result, left } = await run({ number, directory });
      if (left !== undefined) requireSame(side, left, table.content);
      await bench.hdfs.delete(directory, { recursive: true });
      results.get(side)?.push(result);
      console.log(
        `  run ${number}, ${side}: ${result.recordsPerSecond} rows/s, ${transferRate(result)} in transfer, ${result.cpuSecondsPerMillion.toFixed(1)} CPU s per million, ${result.peakResidentMiB} MiB`,
      );
    }
  }
  console.log(`\n${source.title}, medians of ${options.runs} runs (least–most), ${table.content.rows} rows:\n`);
  console.log(comparisonTables(results, FIGURES));
}

async function benchmark(source: Source): Promise<void> {
  console.log(`${source.title}: looking for a table of ${options.rows} rows, or making it …`);
  const table = await source.prepare();
  console.log(`  ${table.schema}.${table.name}: ${(table.textBytes / 1e6).toFixed(0)} MB of text`);
  try {
    await compare(source, table);
  } finally {
    if (options.keepTable) console.log(`\n${table.schema}.${table.name} stays in ${source.title}.`);
    else if (table.made) await source.drop(table);
  }
}

try {
  await benchmark(postgresSource(bench));
  if (options.sqlserver) {
    const sqlServer = sqlServerSource(bench);
    if (sqlServer === undefined) console.log('\nSQL Server was not measured, since HISTORY_MSSQL_URL names none.');
    else await benchmark(sqlServer);
  }
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  console.error('Stopped.');
  process.exitCode = 130;
} finally {
  await bench.hdfs.delete(root, { recursive: true });
  await bench.hdfs.close();
}
