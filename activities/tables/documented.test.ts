import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { telemetryLegacy, textLegacy, textView } from './definitions.ts';
import { importedReadingsView } from './imported-readings.ts';

test('the documented columns of the tables are those that they have', () => {
  const page = readFileSync(new URL('../../docs/batch.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('\n### Columns of the tables'), page.indexOf('\n### How tables change'));
  const rows = section
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, table]) => table !== undefined && /^`/.test(table))
    .map(([, ...cells]) => cells.slice(0, 4));
  const legacy = textLegacy('x', '/x');
  const tables = [
    textView('x', 'text_files'),
    {
      ...legacy,
      columns: legacy.columns.map(({ name, type, comment }) => [name, type.toUpperCase(), comment] as const),
    },
    telemetryLegacy('x'),
    importedReadingsView('x', []),
  ];
  expect(rows).toEqual(
    tables.flatMap(({ name, columns }) =>
      columns.map(([column, type, comment]) => [`\`${name}\``, `\`${column}\``, `\`${type}\``, comment]),
    ),
  );
});
