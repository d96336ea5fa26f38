import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEGMENT_LENGTH_MS, SegmentCutter, type Appended } from './segment.ts';

const cutsOf = (cutter: SegmentCutter, records: readonly Appended[]): number[] =>
  records.filter((record) => cutter.isCut(record)).map(({ offset }) => offset);

const records = fc
  .array(
    fc.record({
      step: fc.integer({ min: 1, max: 400_000 }),
      timestampMs: fc.integer({ min: 0, max: 6 * SEGMENT_LENGTH_MS }),
    }),
    {
      maxLength: 60,
    },
  )
  .map((steps) => {
    let offset = 0;
    return steps.map(({ step, timestampMs }) => ({ offset: (offset += step), timestampMs }));
  });

describe('SegmentCutter', () => {
  it('cuts where the time of appending enters the next segment, and nowhere else', () => {
    const at = (offset: number, segments: number): Appended => ({ offset, timestampMs: segments * SEGMENT_LENGTH_MS });
    expect(cutsOf(new SegmentCutter(), [at(1, 3), at(2, 3.5), at(3, 4), at(4, 3.9), at(5, 4.5), at(9, 7)])).toEqual([
      3, 9,
    ]);
  });

  it('cuts at every million of offsets', () => {
    const at = (offset: number): Appended => ({ offset, timestampMs: 0 });
    expect(cutsOf(new SegmentCutter(), [at(999_999), at(1_000_000), at(1_000_001), at(3_500_000)])).toEqual([
      1_000_000, 3_500_000,
    ]);
  });

  it('finds from any start all cuts that one finds who has read all', () => {
    fc.assert(
      fc.property(records, fc.nat(), (all, any) => {
        const start = all.length === 0 ? 0 : any % all.length;
        const later = new Set(cutsOf(new SegmentCutter(), all.slice(start)));
        const behind = all.slice(start + 1).map(({ offset }) => offset);
        const whole = cutsOf(new SegmentCutter(), all).filter((offset) => behind.includes(offset));
        expect(whole.filter((offset) => !later.has(offset))).toEqual([]);
      }),
    );
  });

  it('goes on as if it had never stopped', () => {
    fc.assert(
      fc.property(records, fc.nat(), (all, any) => {
        const stop = all.length === 0 ? 0 : any % all.length;
        const cutter = new SegmentCutter();
        const before = cutsOf(cutter, all.slice(0, stop));
        const resumed = new SegmentCutter(SEGMENT_LENGTH_MS, {
          ...(cutter.number === undefined ? {} : { number: cutter.number }),
          lastOffset: all[stop - 1]?.offset,
        });
        expect([...before, ...cutsOf(resumed, all.slice(stop))]).toEqual(cutsOf(new SegmentCutter(), all));
      }),
    );
  });
});
