/** PostgreSQL: the import beside psql, a bare pipe and Sqoop. */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PROJECT, runSide } from '../compare/side.ts';
import { installSqoop, runSqoop, type SqoopMode } from '../peers/sqoop/sqoop.ts';
import { contentOfDirectory, contentOfFile } from './content.ts';
import { findPsql, runPsql } from './psql.ts';
import type { BareRun } from './run.ts';
import { importSide, type Bench, type Side, type Source } from './side.ts';
import { dropTelemetry, prepareTelemetry, type TelemetryTable } from './telemetry-table.ts';

const SQOOP_SIDES: Readonly<Record<SqoopMode, string>> = {
  jdbc: 'Sqoop, JDBC',
  'jdbc-gzip': 'Sqoop, JDBC, gzip',
  direct: 'Sqoop, --direct (COPY)',
};
const SQOOP_MODES = ['jdbc', 'jdbc-gzip', 'direct'] as const satisfies readonly SqoopMode[];

export function postgresSource(bench: Bench): Source {
  const databaseUrl = bench.config.HISTORY_POSTGRES_URL;
  return {
    title: 'PostgreSQL',
    prepare: () => prepareTelemetry(databaseUrl, bench.rows, bench.signal),
    sides: (table) => sidesOf(bench, databaseUrl, table),
    drop: (table) => dropTelemetry(databaseUrl, table),
  };
}

async function sidesOf(bench: Bench, databaseUrl: string, table: TelemetryTable): Promise<Map<string, Side>> {
  const { config, hdfs, signal } = bench;
  const { rows } = table.content;
  const qualified = `${table.schema}.${table.name}`;
  const target = { webHdfsUrl: config.WEBHDFS_URL[0] ?? '', hdfsUser: config.HDFS_USER };
  const psqlPath = await findPsql(config);
  const sides = new Map<string, Side>();
  sides.set('import (one snapshot, gzip, verified)', importSide(bench, 'postgres', table));
  sides.set('psql, gzip -1 (local file)', async () => {
    const file = resolve(PROJECT, config.STACK_HOME, 'bench', `${bench.name}.tsv.gz`);
    try {
      const result = await runPsql({ psqlPath, databaseUrl, table: qualified, rows, file }, signal);
      return { result, left: await contentOfFile(file, '\t') };
    } finally {
      await rm(file, { force: true });
    }
  });
  sides.set('bare Node (COPY, gzip, PUT)', async ({ directory }) => {
    const run: BareRun = { ...target, databaseUrl, table: qualified, records: rows, directory };
    const result = await runSide('bench/sql-import/bare.ts', [], run, signal);
    return { result, left: await contentOfDirectory(hdfs, directory, '\t') };
  });
  if (!bench.withSqoop) return sides;
  console.log('Fetching Sqoop (the first time takes a minute) …');
  const sqoop = await installSqoop(config.STACK_HOME, signal);
  for (const mode of SQOOP_MODES) {
    sides.set(SQOOP_SIDES[mode], async ({ directory }) => {
      const from = { databaseUrl, psqlPath, schema: table.schema, table: table.name };
      const result = await runSqoop(sqoop, mode, { ...from, ...target, rows, directory }, signal);
      return { result, left: await contentOfDirectory(hdfs, directory, ',') };
    });
  }
  return sides;
}
