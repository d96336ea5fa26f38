import { z } from 'zod';
import { escaped } from './types.ts';
import type { PostgresSession, Task } from '../session/session.ts';
import { quoted } from '../sql-text.ts';
import { largestOf, ofSomePages, type LeafSize } from './leaf-sample.ts';

/** Comparing with a few values costs less than looking for what has to be escaped, which takes four calls of replace(). */
const MOST_VALUES = 3;
/** Share of the sampled rows that the values must have together. */
const LEAST_SHARE = 0.8;
const MOST_CHARACTERS = 64;
const SAMPLED_PAGES = 20;

const VALUES = z.record(
  z.string(),
  z
    .string()
    .transform((text) => z.array(z.string()).parse(JSON.parse(text)))
    .nullable(),
);

/**
 * The few values that most rows of a text column have (units, qualities, states), as far as they need no escapes; of columns that
 * have such values. Taken from a sample of the largest leaf: what is missed costs time only.
 */
export async function frequentValues(
  connection: PostgresSession,
  sizes: ReadonlyMap<string, LeafSize>,
  columns: readonly string[],
  task: Task,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const [largest] = largestOf(sizes, 1);
  if (columns.length === 0 || largest === undefined) return new Map();
  const texts = columns.map((name, index) => `(r.${quoted(name)})::text COLLATE "C" AS c${index}`).join(', ');
  const row = await connection.row(
    VALUES,
    `WITH sample AS MATERIALIZED (SELECT x.* FROM ${ofSomePages(largest, Math.min(largest.pages, SAMPLED_PAGES), texts)})
      SELECT ${columns.map((_, index) => `${valuesOf(`c${index}`)} AS c${index}`).join(', ')}`,
    task,
  );
  return new Map(
    columns.flatMap((name, index) => {
      const values = row[`c${index}`];
      return values == null ? [] : [[name, values]];
    }),
  );
}

function valuesOf(column: string): string {
  // Large values are not read.
  const isShort = `CASE WHEN pg_column_size(${column}) <= ${4 * MOST_CHARACTERS} THEN char_length(${column}) <= ${MOST_CHARACTERS} AND ${escaped(column)} = ${column} END`;
  return `(SELECT CASE WHEN sum(n) >= ${LEAST_SHARE} * (SELECT count(*) FROM sample) THEN json_agg(v) END::text FROM (
      SELECT ${column} AS v, count(*) AS n FROM sample WHERE ${isShort} GROUP BY 1 ORDER BY 2 DESC LIMIT ${MOST_VALUES}) AS most)`;
}
