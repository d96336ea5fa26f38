import { expect, test } from 'vitest';
import { nearestWorkflowType } from './workflow-names.ts';

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
