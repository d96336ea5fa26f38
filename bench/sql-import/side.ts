import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { SourceName } from '../../grid/history/sql-source.ts';
import type { Config } from '../../runtime/config.ts';
import type { SideResult } from '../compare/result.ts';
import { contentOfDirectory } from './content.ts';
import { runImport } from './import.ts';
import { tableDigest } from './table-digest.ts';
import type { TableContent, TelemetryTable } from './telemetry-table.ts';

/** What all sides of one call of the benchmark share. */
export interface Bench {
  readonly config: Config;
  readonly hdfs: HdfsClient;
  /** Names whatever this call makes; `[a-z0-9_]`. */
  readonly name: string;
  readonly rows: number;
  readonly withSqoop: boolean;
  readonly signal: AbortSignal;
}

/** One run of a side: what it measured, and what it left behind. */
export interface SideOutcome {
  readonly result: SideResult;
  /** Absent for a side that only reads. */
  readonly left?: TableContent;
}

/** A run of a side has an HDFS directory of its own, which is removed after it. */
export type Side = (run: { readonly number: number; readonly directory: string }) => Promise<SideOutcome>;

/** A database that is imported from, with its own table and its own sides, the import first. */
export interface Source {
  readonly title: string;
  prepare(): Promise<TelemetryTable>;
  sides(table: TelemetryTable): Promise<ReadonlyMap<string, Side>>;
  drop(table: TelemetryTable): Promise<void>;
}

/** The import, whose digest must be the one that the database computes anew. */
export function importSide(bench: Bench, source: SourceName, table: TelemetryTable): Side {
  const { config, hdfs, signal } = bench;
  let expected: string | undefined;
  return async ({ number, directory }) => {
    const qualified = `${table.schema}.${table.name}`;
    const name = `${bench.name}_${source}_${number}`;
    const run = { source, table: qualified, rows: table.content.rows, directory, name };
    const result = await runImport(config, run, signal);
    expected ??= await tableDigest(config, source, table, signal);
    if (result.digest !== expected) {
      throw new Error(`the import's digest is ${result.digest}, the database's ${expected}`);
    }
    return { result, left: await contentOfDirectory(hdfs, directory, '\t') };
  };
}
