import { z } from 'zod';
import type { Leaf } from '../catalogue/catalogue.ts';
import type { PostgresSession, Task } from '../session/session.ts';

const SIZE = z.object({ oid: z.string(), relation: z.string(), pages: z.string().transform(Number) });

/** A leaf as it is now. */
export interface LeafSize {
  readonly oid: string;
  /** Qualified and quoted name. */
  readonly relation: string;
  readonly pages: number;
}

/** Names and pages now, by oid; a leaf that was dropped is missing. */
export async function sizesOf(
  connection: PostgresSession,
  leaves: readonly Leaf[],
  task: Task,
): Promise<ReadonlyMap<string, LeafSize>> {
  const rows = await connection.rows(
    SIZE,
    `SELECT oid::text AS oid, oid::regclass::text AS relation,
      (pg_relation_size(oid::regclass) / current_setting('block_size')::int8)::text AS pages
      FROM unnest($1::oid[]) AS oid WHERE pg_relation_size(oid::regclass) IS NOT NULL`,
    task,
    [leaves.map(({ oid }) => oid)],
  );
  return new Map(rows.map((row) => [row.oid, row]));
}

/** Leaves that have pages, the largest first; no more than `most`. */
export function largestOf(sizes: ReadonlyMap<string, LeafSize>, most: number): readonly LeafSize[] {
  return [...sizes.values()]
    .filter(({ pages }) => pages > 0)
    .sort((a, b) => b.pages - a.pages)
    .slice(0, most);
}

/**
 * SQL to select from: what `select` gives of the rows `r` of some pages, spread evenly; a set of rows `x` for each page. To be
 * planned after `PLANNER_SETUP`, or each page may cost a scan of the leaf.
 */
export function ofSomePages({ relation, pages }: LeafSize, sampledPages: number, select: string): string {
  return `generate_series(0::int8, ${sampledPages - 1}) AS b(place), LATERAL (
        SELECT ${select} FROM ONLY ${relation} AS r
        WHERE r.ctid >= format('(%s,0)', b.place * ${pages} / ${sampledPages})::tid
          AND r.ctid < format('(%s,0)', b.place * ${pages} / ${sampledPages} + 1)::tid OFFSET 0) AS x`;
}
