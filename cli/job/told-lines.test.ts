import { expect, test } from 'vitest';
import { progressLines, resultLines } from './told-lines.ts';

test('the progress and the result of a workflow that is no job are shown as they are, or not at all', () => {
  expect(progressLines('countWords', { words: 3 }, 5)).toEqual(['{"words":3}']);
  expect(progressLines('countWords', undefined, 5)).toEqual([]);
  expect(resultLines('countWords', { words: 3 })).toEqual([]);
});

test('what a job answers that is not as its contract says is shown as it is', () => {
  expect(progressLines('importSqlHistory', { phase: 'copying' }, 5)).toEqual(['{"phase":"copying"}']);
  expect(resultLines('importSqlHistory', { runs: [], succeeded: 0, failed: 0, signalled: 0 })).toEqual([]);
});
