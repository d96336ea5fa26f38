import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS, type ErrorProperties } from './errors.ts';

const document = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');

/** The cells of the table of errors. */
function rows(): string[][] {
  const table = document.slice(document.indexOf('\n## Errors'), document.indexOf('\n## Where to change what'));
  return table
    .split('\n')
    .filter((line) => line.startsWith('|') && line.includes('`'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

const codesOf = (text: string): string[] => [...text.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code);

test('the documented table of errors has every code, once', () => {
  expect(
    rows()
      .flatMap(([, , codes = '']) => codesOf(codes))
      .sort(),
  ).toEqual(Object.keys(ERRORS).sort());
});

test('it says whose fault each is, and the status of a reply', () => {
  for (const [, , codes = '', fault = '', , status = ''] of rows()) {
    const groups = codes.split(';').map(codesOf);
    // One for all groups, or one for each.
    const of = (texts: string, group: number): string | undefined => {
      const parts = texts.split(';').map((part) => part.trim());
      return parts.length === 1 ? parts[0] : parts[group];
    };
    for (const [group, names] of groups.entries()) {
      for (const name of names) {
        const known = (ERRORS as Readonly<Record<string, ErrorProperties>>)[name];
        expect([name, of(fault, group)]).toEqual([name, known?.fault]);
        if (status !== '') expect([name, of(status, group)]).toEqual([name, String(known?.httpStatus)]);
      }
    }
  }
});
