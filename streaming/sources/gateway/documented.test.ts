import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../grid/errors.ts';
import { INFLUXDB_VERSION } from './influxdb-routes.ts';
import { statementAnswers } from './influxql-statements.ts';
import { MAX_FIELDS, MAX_NAME_BYTES, MAX_TAGS, MAX_VALUE_BYTES } from './line-protocol.ts';
import { PRECISIONS } from './line-readings.ts';

const page = readFileSync(new URL('../../../docs/ingest.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

/** The second cell of the row that begins with `first`. */
function cellOf(first: string): string | undefined {
  return rows.find(([, cell]) => cell === first)?.[2];
}

describe('docs/ingest.md', () => {
  it('tells each code with the status it is answered with', () => {
    const statuses: ReadonlyMap<string, { readonly httpStatus: number }> = new Map(Object.entries(ERRORS));
    const told = rows
      .filter(([, status]) => /^[45]\d\d$/.test(status ?? ''))
      .flatMap(([, status, codes = '']) => codes.split(',').map((code) => [code.trim().replaceAll('`', ''), status]));
    expect(told.length).toBeGreaterThan(9);
    for (const [code = '', status] of told)
      expect([code, String(statuses.get(code)?.httpStatus)]).toEqual([code, status]);
  });

  it('tells the limits of a line', () => {
    const number = (count: number) => count.toLocaleString('en-US');
    expect(cellOf('measurement and tags together; field key')).toBe(`${number(MAX_NAME_BYTES)} bytes`);
    expect(cellOf('value of a field, quoted or not')).toBe(`${number(MAX_VALUE_BYTES)} bytes`);
    expect(cellOf('tags; fields')).toBe(`${number(MAX_TAGS)}; ${number(MAX_FIELDS)}`);
  });

  it("tells InfluxDB's version, and the statements that are answered", () => {
    expect(page).toContain(`its version, \`${INFLUXDB_VERSION}\``);
    const statements = ['CREATE DATABASE x', 'CREATE RETENTION POLICY x ON y', 'ALTER RETENTION POLICY x ON y'];
    const more = ['CREATE USER x WITH PASSWORD y', 'GRANT ALL TO x', 'SHOW DATABASES', 'SHOW USERS'];
    expect(statementAnswers([...statements, ...more].join(';')).map(({ kind }) => kind)).toEqual([
      ...['done', 'done', 'done', 'done', 'done', 'databases', 'unknown'],
    ]);
    for (const precision of ['ns', 'us', 'ms', 's', 'm', 'h', 'n', 'u']) expect(PRECISIONS.has(precision)).toBe(true);
  });
});
