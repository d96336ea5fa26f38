import type { ImportColumn } from '../../../grid/history/sql-source.ts';

/** A function takes no more than 100 arguments (`FUNC_MAX_ARGS`), the separator among them. */
const MAX_FIELDS_PER_CALL = 99;

/**
 * SQL over the row `r` that gives its line without the LF: the fields separated by TAB.
 *
 * @param proven whether all values are known to be kept
 */
export function lineExpression(columns: readonly ImportColumn[], proven: boolean): string {
  return joined(
    columns.map(({ expression, provenExpression }) => (proven ? (provenExpression ?? expression) : expression)),
  );
}

function joined(parts: readonly string[]): string {
  if (parts.length <= MAX_FIELDS_PER_CALL) return `concat_ws(E'\\t', ${parts.join(', ')})`;
  const groups: string[] = [];
  for (let at = 0; at < parts.length; at += MAX_FIELDS_PER_CALL) {
    groups.push(joined(parts.slice(at, at + MAX_FIELDS_PER_CALL)));
  }
  return joined(groups);
}
