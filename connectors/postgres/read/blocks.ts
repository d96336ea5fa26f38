import type { TablePlan } from '../../../grid/history/sql-source.ts';
import { lineExpression } from './lines.ts';

/**
 * What one statement reads: blocks of whole pages, or single rows of one page. Each gives a record of four fields, in COPY's
 * binary format: its first page (or row), the number of its rows, the SHA-256 of its text, its text.
 */
export type BlockRange =
  | { readonly unit: 'pages'; readonly from: number; readonly to: number; readonly pagesPerBlock: number }
  | { readonly unit: 'rows'; readonly page: number };

export interface BlockQuery {
  readonly plan: TablePlan;
  /** Qualified and quoted name of the relation whose pages are read. */
  readonly relation: string;
  readonly range: BlockRange;
  /** Whether the text itself is wanted, or only its digest. */
  readonly withText: boolean;
  /** Whether the snapshot is the one at which the plan has looked at all values. */
  readonly proven: boolean;
}

/** Row numbers in a page are smaller than this, whatever the page size (32 KiB pages have the most line pointers). */
const MAX_ROWS_OF_PAGE = 2_048;

/** What stands in the digest field of a block without rows, so that all are of one length. */
const NO_DIGEST = `'\\x${'00'.repeat(32)}'::bytea`;

/** The plan that reads only the pages it should is taken whatever the table's statistics say. */
export const PLANNER_SETUP =
  'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_tidscan = on';

/**
 * The `COPY` statement that gives the blocks of a range in order, empty ones too. The digest is of the bytes that are sent, in
 * the client's encoding, which is UTF-8.
 */
export function blockCopy({ plan, relation, range, withText, proven }: BlockQuery): string {
  const { starts, within } = partsOf(range);
  const condition = plan.condition === undefined ? '' : ` AND (${plan.condition})`;
  const text = withText ? `coalesce(x.text, '')` : `''::bytea`;
  // The inner OFFSET keeps the bytes from being made twice.
  return `COPY (SELECT b.start, x.rows, coalesce(sha256(x.text), ${NO_DIGEST}), ${text}
  FROM ${starts} AS b(start), LATERAL (SELECT rows, textsend(text) AS text FROM (
    SELECT count(*) AS rows, string_agg(${lineExpression(plan.columns, proven)}, E'\\n') || E'\\n' AS text
    FROM ONLY ${relation} AS r WHERE ${within}${condition} OFFSET 0) AS lines OFFSET 0) AS x) TO STDOUT (FORMAT binary)`;
}

function partsOf(range: BlockRange): { readonly starts: string; readonly within: string } {
  if (range.unit === 'rows') {
    return {
      starts: `generate_series(1::int8, ${MAX_ROWS_OF_PAGE})`,
      within: `r.ctid = format('(${range.page},%s)', b.start)::tid`,
    };
  }
  const { from, to, pagesPerBlock } = range;
  return {
    starts: `generate_series(${from}::int8, ${to - 1}, ${pagesPerBlock})`,
    within: `r.ctid >= format('(%s,0)', b.start)::tid AND r.ctid < format('(%s,0)', least(b.start + ${pagesPerBlock}, ${to}))::tid`,
  };
}
