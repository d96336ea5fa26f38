import { z } from 'zod';
import type { Leaf } from './catalogue.ts';
import { escaped } from './column-types.ts';
import type { PostgresConnection, Task } from './connection.ts';
import { quoted } from './identifier.ts';

/** Comparing with a few values costs less than looking for what has to be escaped, which takes four calls of replace(). */
const MOST_VALUES = 3;
/** Share of the sampled rows that the values must have together. */
const LEAST_SHARE = 0.8;
const MOST_CHARACTERS = 64;
const SAMPLED_PAGES = 20;

const LARGEST = z.object({ relation: z.string(), pages: z.string().transform(Number) });
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
  connection: PostgresConnection,
  leaves: readonly Leaf[],
  columns: readonly string[],
  task: Task,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (columns.length === 0 || leaves.length === 0) return new Map();
  const [largest] = await connection.rows(
    LARGEST,
    `SELECT oid::regclass::text AS relation, (pg_relation_size(oid::regclass) / current_setting('block_size')::int8)::text AS pages
      FROM unnest($1::oid[]) AS oid WHERE pg_relation_size(oid::regclass) > 0 ORDER BY pg_relation_size(oid::regclass) DESC LIMIT 1`,
    task,
    [leaves.map(({ oid }) => oid)],
  );
  if (largest === undefined) return new Map();
  const { relation, pages } = largest;
  const sampled = Math.min(pages, SAMPLED_PAGES);
  const row = await connection.row(
    VALUES,
    `WITH sample AS MATERIALIZED (
        SELECT ${columns.map((name, index) => `(r.${quoted(name)})::text COLLATE "C" AS c${index}`).join(', ')}
        FROM generate_series(0::int8, ${sampled - 1}) AS b(place), LATERAL (
          SELECT * FROM ONLY ${relation} AS r
          WHERE r.ctid >= format('(%s,0)', b.place * ${pages} / ${sampled})::tid
            AND r.ctid < format('(%s,0)', b.place * ${pages} / ${sampled} + 1)::tid OFFSET 0) AS r)
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
