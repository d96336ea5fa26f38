import { GridError } from '../../../grid/errors.ts';
import type { WireRow } from '../session/wire-row.ts';
import { HASH_BYTES, ROW_LIMIT_BYTES, type RowLayout } from './row-statements.ts';

/** What is thrown for a row beyond {@link ROW_LIMIT_BYTES}. */
export function tooLarge(attempt: string): GridError {
  return new GridError(
    'row-too-large',
    `${attempt}: a row's text is estimated at more than ${ROW_LIMIT_BYTES / 1024 ** 2} MiB. Move what is large out of the row, or leave the table out.`,
  );
}

/** @throws GridError `row-too-large` */
export function assertFits(row: WireRow, { fitsAt }: RowLayout, attempt: string): void {
  if (fitsAt === undefined) return;
  if (row.isNull(fitsAt) || row.memoryOf(fitsAt)[row.starts[fitsAt] ?? 0] !== 1) throw tooLarge(attempt);
}

/**
 * @param own SHA-256 of what came, a character a byte
 * @throws GridError `import-verification-failed`
 */
export function assertSameHash(
  row: WireRow,
  { hashAt }: RowLayout,
  own: string,
  attempt: string,
  number: number,
): void {
  if (hashAt === undefined) return;
  const start = row.starts[hashAt] ?? 0;
  const bytes = row.memoryOf(hashAt);
  let isSame = !row.isNull(hashAt) && (row.ends[hashAt] ?? 0) - start === HASH_BYTES;
  for (let at = 0; isSame && at < HASH_BYTES; at++) isSame = bytes[start + at] === own.charCodeAt(at);
  if (isSame) return;
  throw new GridError(
    'import-verification-failed',
    `${attempt}: row ${number} of the split came with values that do not have the hash which the server computed of it. It is read again.`,
  );
}

/** @throws GridError `import-verification-failed` */
export function assertCount(rows: number, expected: number, attempt: string): void {
  if (rows === expected) return;
  throw new GridError(
    'import-verification-failed',
    `${attempt}: ${rows} rows came, and the server counts ${expected}. It is read again.`,
  );
}
