import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { ImportColumn, SplitRange } from '../../../grid/history/sql-source.ts';
import type { Leaf } from '../catalogue/catalogue.ts';
import type { PostgresSession, Task } from '../session/session.ts';
import { largestOf, ofSomePages, type LeafSize } from './leaf-sample.ts';
import { lineExpression } from '../read/lines.ts';

/** Text of a block that is aimed at. */
const BLOCK_BYTES = 768 << 10;
/** Text that a block may have at the sampled pages with the most text in them. */
const MAX_SAMPLED_BLOCK_BYTES = 32 << 20;
const MAX_PAGES_PER_BLOCK = 2_048;
/** Pages of a leaf that are looked at, spread evenly. */
const SAMPLED_PAGES = 40;
/** A table's parts that are looked at; the others are taken for alike. */
const SAMPLED_LEAVES = 50;

/** A range of pages of one leaf, and how it is read. */
const RANGE = z.object({
  /** Oid of the leaf. */
  relation: z.string(),
  /** Its name when it was planned, for messages. */
  name: z.string(),
  /** Its relfilenode. */
  file: z.string(),
  from: z.int().min(0),
  /** After the last page; null: to the end of the leaf, wherever that is. */
  to: z.int().min(1).nullable(),
  pagesPerBlock: z.int().min(1),
});
export type PageRange = z.output<typeof RANGE>;

/** What the pages of a leaf hold, estimated from some. */
interface Density {
  readonly rowsPerPage: number;
  readonly bytesPerPage: number;
  readonly mostBytesOfPage: number;
}

const NOTHING_KNOWN: Density = { rowsPerPage: 50, bytesPerPage: 8_192, mostBytesOfPage: 8_192 };

export interface PlannedSplits {
  readonly splits: readonly SplitRange[];
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
}

/** Splits the pages of a table's leaves so that each split has about `splitRows` rows. Without leaves there is no split. */
export async function planSplits(
  connection: PostgresSession,
  leaves: readonly Leaf[],
  sizes: ReadonlyMap<string, LeafSize>,
  columns: readonly ImportColumn[],
  splitRows: number,
  task: Task,
): Promise<PlannedSplits> {
  const splits: PageRange[] = [];
  let estimatedRows = 0;
  let estimatedBytes = 0;
  let latest = NOTHING_KNOWN;
  const sampledLeaves = new Set(largestOf(sizes, SAMPLED_LEAVES).map(({ oid }) => oid));
  for (const { oid, name, file } of leaves) {
    const size = sizes.get(oid);
    if (size === undefined) continue;
    const { pages } = size;
    if (sampledLeaves.has(oid)) latest = await sample(connection, size, columns, task);
    const { rowsPerPage, bytesPerPage, mostBytesOfPage } = latest;
    estimatedRows += rowsPerPage * pages;
    estimatedBytes += bytesPerPage * pages;
    const pagesPerBlock = Math.floor(
      Math.max(
        1,
        Math.min(
          MAX_PAGES_PER_BLOCK,
          BLOCK_BYTES / Math.max(1, bytesPerPage),
          MAX_SAMPLED_BLOCK_BYTES / Math.max(1, mostBytesOfPage),
        ),
      ),
    );
    // Of equal length: a last one that is short would leave all connections but one idle at the end.
    const count = Math.max(1, Math.min(pages, Math.round((pages * rowsPerPage) / splitRows)));
    for (let split = 0; split < count; split++) {
      const from = Math.floor((split * pages) / count);
      const to = split === count - 1 ? null : Math.floor(((split + 1) * pages) / count);
      splits.push({ relation: oid, name, file, from, to, pagesPerBlock });
    }
  }
  return { splits, estimatedRows: Math.round(estimatedRows), estimatedBytes: Math.round(estimatedBytes) };
}

/** @throws GridError `defect` when the plan was made by something else. */
export function pageRange(split: SplitRange | undefined, where: string): PageRange {
  const parsed = RANGE.safeParse(split);
  if (parsed.success) return parsed.data;
  throw new GridError('defect', `${where}: the plan's split is not one of PostgreSQL's. Plan the table again.`);
}

const SAMPLE = z.object({
  rows: z.string().transform(Number),
  bytes: z.string().transform(Number),
  most: z.string().transform(Number),
});

async function sample(
  connection: PostgresSession,
  size: LeafSize,
  columns: readonly ImportColumn[],
  task: Task,
): Promise<Density> {
  const sampled = Math.min(size.pages, SAMPLED_PAGES);
  const figures = `count(*) AS rows, sum(octet_length(${lineExpression(columns, false)}) + 1) AS bytes`;
  const { rows, bytes, most } = await connection.row(
    SAMPLE,
    `SELECT coalesce(sum(x.rows), 0)::text AS rows, coalesce(sum(x.bytes), 0)::text AS bytes, coalesce(max(x.bytes), 0)::text AS most
      FROM ${ofSomePages(size, sampled, figures)}`,
    task,
  );
  return { rowsPerPage: rows / sampled, bytesPerPage: bytes / sampled, mostBytesOfPage: most };
}
