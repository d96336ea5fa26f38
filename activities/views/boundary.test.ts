import { expect, test } from 'vitest';
import { mayEndWith } from './boundary.ts';

const segmentEnds = new Set([99, 199]);

test.each([
  ['the end of a segment', 199, 250, false, true],
  ['within a segment that the sink is filling', 220, 250, false, false],
  ['where the sink goes on', 249, 250, false, true],
  ['beyond the sink', 300, 250, false, true],
  ['beyond the sink, which may catch up', 300, 250, true, false],
  ['the end of a segment, though the sink is beyond', 99, 250, true, true],
  ['anywhere, where no sink has ever been', 220, undefined, true, true],
])('views end with %s', (_, lastOffset, nextOffset, cautious, expected) => {
  expect(mayEndWith(lastOffset, { nextOffset, segmentEnds }, cautious)).toBe(expected);
});
