import type { SplitStretch } from '../../workflows/import/activity-contract.ts';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import type { StretchHeartbeat } from '../../workflows/import/contract.ts';
import type { SplitCopier } from './copy/split-copier.ts';
import type { StretchRecords } from './copy/stretch-records.ts';

/** How far a stretch is, the split that is being copied included: of that one only the bytes are known, its rows are estimated by them. */
export function stretchStanding(
  { table, from, to, skip }: SplitStretch,
  plan: Pick<TablePlan, 'estimatedRows' | 'estimatedBytes' | 'splits'>,
  records: Pick<StretchRecords, 'done' | 'isDoneAt'>,
  copier: Pick<SplitCopier, 'copying' | 'snapshot'> | undefined,
): StretchHeartbeat['standing'] {
  let [splitsDone, rows, textBytes] = [0, 0, 0];
  const skipped = new Set(skip);
  for (let split = from; split < to; split++) {
    const record = records.done(split);
    if (record === undefined || skipped.has(split) || copier === undefined) continue;
    if (!records.isDoneAt(split, copier.snapshot)) continue;
    splitsDone += 1;
    rows += record.rows;
    textBytes += record.textBytes;
  }
  const copying = copier?.copying;
  if (copying === undefined) return { table, splitsDone, rows, textBytes };
  const rowBytes = rows > 0 ? textBytes / rows : plan.estimatedBytes / Math.max(1, plan.estimatedRows);
  const rowsOfSplit = Math.ceil(plan.estimatedRows / Math.max(1, plan.splits.length));
  const copiedRows = Math.min(rowsOfSplit, Math.floor(copying.textBytes / Math.max(1, rowBytes)));
  return { table, splitsDone, rows: rows + copiedRows, textBytes: textBytes + copying.textBytes };
}
