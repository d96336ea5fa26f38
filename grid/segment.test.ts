import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEGMENT_LENGTH_MS, SegmentCutter, type Appended } from './segment.ts';

const cutsOf = (cutter: SegmentCutter, records: readonly Appended[]): bigint[] =>
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
    let offset = 0n;
    return steps.map(({ step, timestampMs }) => ({ offset: (offset += BigInt(step)), timestampMs }));
  });

describe('SegmentCutter', () => {
  it('cuts where the time of appending enters the next segment, and nowhere else', () => {
    const at = (offset: bigint, segments: number): Appended => ({ offset, timestampMs: segments * SEGMENT_LENGTH_MS });
    expect(
      cutsOf(new SegmentCutter(), [at(1n, 3), at(2n, 3.5), at(3n, 4), at(4n, 3.9), at(5n, 4.5), at(9n, 7)]),
    ).toEqual([3n, 9n]);
  });

  it('cuts at every million of offsets', () => {
    const at = (offset: bigint): Appended => ({ offset, timestampMs: 0 });
    expect(cutsOf(new SegmentCutter(), [at(999_999n), at(1_000_000n), at(1_000_001n), at(3_500_000n)])).toEqual([
      1_000_000n,
      3_500_000n,
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
        const resumed = new SegmentCutter(cutter.number, all[stop - 1]?.offset);
        expect([...before, ...cutsOf(resumed, all.slice(stop))]).toEqual(cutsOf(new SegmentCutter(), all));
      }),
    );
  });
});
