import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochSecondsToMs } from '../decimal-text.ts';
import { Accumulator } from './accumulator.ts';
import { aggregateOf, EMPTY, merged } from './aggregate.ts';

const usual = fc
  .tuple(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.integer({ min: 0, max: 9 }))
  .map(([digits, decimals]) => (digits / 10 ** decimals).toFixed(decimals));
const odd = fc.constantFrom(
  ...[
    '0',
    '-0',
    '-0.0',
    '1e3',
    '1E-18',
    '1e-19',
    '2.5',
    '2.50',
    '2814749.76710655',
    '2814749.76710656',
    '-2814749.76710655',
  ],
  ...[
    '999999999999999',
    '99999999.99999999',
    '0.000000001',
    '-0.000000005',
    '99999999999999999999',
    '1e20',
    '9999999999.99999999',
  ],
);
const reading = fc
  .record({
    modality: fc.oneof({ weight: 4, arbitrary: usual }, odd),
    // Often the same moment, so that further digits and ids decide.
    createdAt: fc.constantFrom(
      '1694902173',
      '1694902173.5',
      '1694902173.50',
      '1694902173.5001',
      '1694902173.50010001',
      '1.6949021735e9',
    ),
    correlationId: fc.constantFrom('a', 'b', '\uffff', '\u{10000}', '\0', '\ud800'),
  })
  .map((fields) => ({ ...fields, eventTimeMs: epochSecondsToMs(fields.createdAt) ?? 0 }));

test('it comes to what merging readings one by one comes to, wherever it is asked meanwhile', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(reading, fc.boolean()), { maxLength: 150, size: 'max' }), (readings) => {
      const accumulator = new Accumulator();
      let expected = EMPTY;
      for (const [each, isAsked] of readings) {
        accumulator.add(each);
        expected = merged(expected, aggregateOf(each));
        expect(accumulator.count).toBe(expected.count);
        if (isAsked) expect(accumulator.aggregate()).toEqual(expected);
      }
      expect(accumulator.aggregate()).toEqual(expected);
    }),
  );
});
