import { expect, test } from 'vitest';
import { loadConfig } from '../../runtime/config.ts';
import { importContract } from '../../workflows/import/contract.ts';
import { configuredSchedule } from './configured-schedule.ts';

const configured = (environment: Readonly<Record<string, string>>) =>
  configuredSchedule(importContract, loadConfig(environment));

test('by default every table is merged each night at two, by UTC', () => {
  expect(configured({})).toEqual({
    wanted: true,
    id: 'nightly-sql-import',
    variables: 'NIGHTLY_IMPORT',
    taskQueue: 'batch',
    notes: [],
    definition: {
      id: 'nightly-sql-import',
      cron: '0 2 * * *',
      times: { kind: 'calendar', cron: '0 2 * * *' },
      timeZone: 'UTC',
      workflowType: 'importSqlHistory',
      workflowId: 'nightly-sql-import',
      taskQueue: 'batch',
      input: { mode: 'merge', reconcile: true },
      memo: { businessTimeZone: 'UTC' },
      catchupWindowMs: 86_400_000,
      paused: false,
    },
  });
});

test('it may be paused, or not wanted at all', () => {
  expect(configured({ NIGHTLY_IMPORT: 'paused' })).toMatchObject({ wanted: true, definition: { paused: true } });
  expect(configured({ NIGHTLY_IMPORT: 'off' })).toMatchObject({ wanted: false, id: 'nightly-sql-import' });
});

test.each([
  ['NIGHTLY_IMPORT_INPUT', '{"mode":', 'is not JSON'],
  ['NIGHTLY_IMPORT_INPUT', '{"mode":"all","splitRows":-1}', 'mode: '],
  ['NIGHTLY_IMPORT_INPUT', '[]', 'expected object'],
  ['NIGHTLY_IMPORT_CRON', '0 2 * * MON#1', 'has a # in a field'],
  ['NIGHTLY_IMPORT_CRON', '0 2 31 2 *', 'never comes to pass: there is no such day. Correct it'],
  ['NIGHTLY_IMPORT_TIME_ZONE', 'Mars/Olympus', 'is no IANA time zone'],
])('%s=%s is refused: %s', (name, value, problem) => {
  expect(() => configured({ [name]: value })).toThrow(`${name}=${JSON.stringify(value)} `);
  expect(() => configured({ [name]: value })).toThrow(problem);
});
