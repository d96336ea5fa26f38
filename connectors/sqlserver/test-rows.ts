import { readColumns } from './wire-columns.ts';
import { WireRow } from './wire-row.ts';
import { metadata, rowToken, type PeerColumn, type PeerValue, type RowForm } from './test-tokens.ts';

/** Rows as they come in a reply, for tests. One object serves all rows of it, as in a reply. */
export function wireRows(
  columns: readonly PeerColumn[],
  rows: readonly (readonly PeerValue[])[],
  form: RowForm = {},
): Generator<WireRow> {
  const row = new WireRow(readColumns(metadata(columns), 1)?.columns ?? []);
  return (function* () {
    for (const values of rows) {
      const token = rowToken(columns, values, form);
      if (row.read(token, 1, form.compressed === true) !== token.length) throw new Error('a row of another length');
      yield row;
    }
  })();
}
