import type { Progress } from '../../native/server.ts';
import { awkwardTypes } from './awkward-types.ts';
import { withConnection } from './connection.ts';
import { load, node, telemetry } from './grid-tables.ts';
import { telemetryReadings } from './readings.ts';
import { marksOf, provideTable, settledOutcome, type ProvidedTable, type SampleTable } from './sample-table.ts';

/** Rows of `telemetry_readings` by default: loaded in a few seconds, and still several splits of an import. */
export const DEFAULT_READINGS = 1_500_000;

/** The sample history, the largest table last. */
const TABLES: readonly SampleTable[] = [telemetry, awkwardTypes, load, node, telemetryReadings];

export interface HistoryOptions {
  /** Database that the tables are made in, schema `public`. */
  readonly databaseUrl: string;
  /** Where SimBench's files lie ({@link provideSimbench}); without them the rows are generated. */
  readonly simbenchDirectory: string | undefined;
  /** Rows of `telemetry_readings` that are wanted, rounded up to whole series of 35,136; at most what SimBench has, 19,465,344. */
  readonly rows?: number;
  /** Drops the sample tables that are there and makes them again; foreign ones never. */
  readonly anew?: boolean;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that the sample history is in the database: at once when it is, else table by table, each in one transaction, so that an
 * interrupted load goes on with the table that is missing. More rows than there are: those that are missing are added. Tables that
 * somebody else has made under the same names are left alone, and said so.
 *
 * @throws GridError `source-unavailable`, `source-denied`, `source-refused`, `disk-full`; when `signal` aborts, its reason
 */
export async function provideHistory(options: HistoryOptions): Promise<ProvidedTable[]> {
  const { databaseUrl, simbenchDirectory, progress } = options;
  const signal = options.signal ?? new AbortController().signal;
  const source = { simbenchDirectory, readings: options.rows ?? DEFAULT_READINGS, anew: options.anew ?? false };
  return withConnection(databaseUrl, signal, async (client) => {
    const marks = await marksOf(
      client,
      TABLES.map(({ name }) => name),
    );
    const results: ProvidedTable[] = [];
    for (const table of TABLES) {
      const settled = marks.has(table.name) ? settledOutcome(table, marks.get(table.name), source) : undefined;
      results.push(settled ?? (await provideTable(table, { client, source, progress, signal })));
    }
    return results;
  });
}

/** Whether the database holds tables that are none of the sample history's. @throws as {@link provideHistory} */
export async function holdsOtherTables(databaseUrl: string, signal: AbortSignal): Promise<boolean> {
  return withConnection(databaseUrl, signal, async (client) => {
    const names = TABLES.map(({ name }) => name);
    const marks = await marksOf(client, names);
    const own = names.filter((name) => marks.get(name) !== undefined);
    const { rows } = await client.query<{ others: boolean }>(
      `SELECT EXISTS (
         SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
          WHERE relkind IN ('r', 'p', 'm', 'f') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
            AND NOT (nspname = 'public' AND relname = ANY ($1))) AS others`,
      [own],
    );
    return rows[0]?.others === true;
  });
}
