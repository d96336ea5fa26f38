import { expect, test } from 'vitest';
import * as workflows from './index.ts';
import { nearestWorkflowType, WORKFLOW_TYPES } from './registry.ts';

test('every workflow that can be started is one that the worker knows', () => {
  expect(Object.keys(workflows)).toEqual(expect.arrayContaining(Object.keys(WORKFLOW_TYPES)));
});

test.each([
  ['importSqlHistroy', 'importSqlHistory'],
  ['importsqlhistory', 'importSqlHistory'],
  ['ImportSQL', 'importSqlHistory'],
  ['retry-failed-backfills', 'retryFailedBackfills'],
  ['backfill', 'retryFailedBackfills'],
  ['x', undefined],
  ['make coffee', undefined],
])('%s is near %s', (name, expected) => {
  expect(nearestWorkflowType(name)).toBe(expected);
});
