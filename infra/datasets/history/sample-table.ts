import type pg from 'pg';
import { z } from 'zod';
import type { Progress } from '../../native/server.ts';
import { inTransaction } from './connection.ts';

/** Where the rows of a sample table come from. */
export type SampleOrigin = 'simbench' | 'generated';

/** What fills a sample table. */
export interface SampleSource {
  /** Directory of SimBench; without it rows are generated in the database. */
  readonly simbenchDirectory: string | undefined;
  /** Rows of readings that are wanted at least. */
  readonly readings: number;
  /** Sample tables that are there are dropped and made again. */
  readonly anew: boolean;
}

/**
 * What this program knows of a table that it made. It stands in the table's comment, so it comes and goes with the very
 * transaction that loads the rows, and a table of that name without one belongs to somebody else.
 */
const mark = z.object({
  sample: z.literal(1),
  origin: z.enum(['simbench', 'generated']),
  rows: z.number(),
  series: z.number().default(0),
});
export type SampleMark = z.output<typeof mark>;

export interface Filling {
  readonly client: pg.Client;
  readonly source: SampleSource;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A table of the sample history, in schema `public`. */
export interface SampleTable {
  readonly name: string;
  /** What it holds, for its comment. */
  readonly about: string;
  /** Makes the table and its rows. @returns what is now there */
  make(filling: Filling): Promise<Omit<SampleMark, 'sample'>>;
  /** Whether a table that is there has all that is asked for; without it, always. */
  suffices?(present: SampleMark, source: SampleSource): boolean;
  /** Adds what is missing. @returns what is now there */
  extend?(present: SampleMark, filling: Filling): Promise<Omit<SampleMark, 'sample'>>;
}

/** What became of a table. */
export interface ProvidedTable {
  readonly name: string;
  /** `foreign`: there is a table of that name that this program did not make; it was left alone. */
  readonly outcome: 'present' | 'loaded' | 'extended' | 'foreign';
  /** Rows that this program has loaded; undefined for a foreign one. */
  readonly rows: number | undefined;
  readonly origin: SampleOrigin | undefined;
}

/** One lock for all sample tables of a database: two processes that provide them do so one after the other. */
const LOCK_KEY = 4_206_130_771;
const MARK = /\{.*\}$/s;

/** The tables of `names` that are there: marked as made by this program, or without a mark. */
export async function marksOf(
  client: pg.Client,
  names: readonly string[],
): Promise<Map<string, SampleMark | undefined>> {
  const { rows } = await client.query<{ name: string; comment: string | null }>(
    `SELECT relname AS name, obj_description(oid, 'pg_class') AS comment
       FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1)`,
    [names],
  );
  return new Map(rows.map(({ name, comment }) => [name, readMark(comment)]));
}

/** Makes or extends one table, all or nothing, unless another process has done so meanwhile. */
export async function provideTable(table: SampleTable, filling: Filling): Promise<ProvidedTable> {
  const { client, source } = filling;
  return inTransaction(client, async () => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
    const marks = await marksOf(client, [table.name]);
    const present = marks.get(table.name);
    if (marks.has(table.name)) {
      const settled = settledOutcome(table, present, source);
      if (settled !== undefined) return settled;
    }
    const isExtended = present !== undefined && !source.anew;
    if (present !== undefined && source.anew) await client.query(`DROP TABLE public.${table.name}`);
    const made = isExtended ? await table.extend?.(present, filling) : await table.make(filling);
    if (made === undefined) throw new TypeError(`${table.name} cannot be extended`);
    await client.query(`COMMENT ON TABLE public.${table.name} IS ${client.escapeLiteral(comment(table, made))}`);
    // Without statistics the planner, and whoever asks for an estimated count, would take it for empty.
    await client.query(`ANALYZE public.${table.name}`);
    return { name: table.name, outcome: isExtended ? 'extended' : 'loaded', rows: made.rows, origin: made.origin };
  });
}

/** What there is to say of a table that needs no work; undefined when it does. */
export function settledOutcome(
  table: SampleTable,
  present: SampleMark | undefined,
  source: SampleSource,
): ProvidedTable | undefined {
  if (present === undefined) return { name: table.name, outcome: 'foreign', rows: undefined, origin: undefined };
  if (source.anew || table.suffices?.(present, source) === false) return undefined;
  return { name: table.name, outcome: 'present', rows: present.rows, origin: present.origin };
}

function comment({ about }: SampleTable, made: Omit<SampleMark, 'sample'>): string {
  const from = made.origin === 'simbench' ? 'from SimBench 1.6.3 (Open Database License 1.0)' : 'generated';
  const known: SampleMark = { sample: 1, ...made };
  return `Sample history of PowerGrid Lambda, ${from}: ${about} ${JSON.stringify(known)}`;
}

function readMark(text: string | null): SampleMark | undefined {
  const json = MARK.exec(text ?? '')?.[0];
  if (json === undefined) return undefined;
  try {
    return mark.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
