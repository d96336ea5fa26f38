import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TEMPORAL_ASPECTS } from '../../grid/reading.ts';
import { aspectKey, POSITIONS_KEY, versionKey } from './newest-keys.ts';

/** What Redis Cluster hashes of a key (its specification, "Hash tags"). */
function hashed(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
}

const sensorId = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('6', '{', '}', 'a', 'é', '-') });

test("versions and values of an aspect lie in their sensor's slot of a cluster, but for ids with a closing brace and no tag", () => {
  fc.assert(
    fc.property(sensorId, (id) => {
      fc.pre(hashed(id) !== id || !id.includes('}'));
      expect(hashed(versionKey(id))).toBe(hashed(id));
      for (const aspect of TEMPORAL_ASPECTS) expect(hashed(aspectKey(id, aspect))).toBe(hashed(id));
    }),
    { numRuns: 2_000 },
  );
});

test('no two sensors share a key, and none collides with a sensor or the positions', () => {
  fc.assert(
    fc.property(sensorId, sensorId, (a, b) => {
      expect(versionKey(a) === versionKey(b)).toBe(a === b);
      expect(versionKey(a)).toMatch(/\p{Cc}/u);
      expect(versionKey(a)).not.toBe(POSITIONS_KEY);
      const keysOf = (id: string) => [versionKey(id), ...TEMPORAL_ASPECTS.map((aspect) => aspectKey(id, aspect))];
      expect(new Set([...keysOf(a), ...keysOf(b)]).size).toBe(a === b ? 3 : 6);
      for (const key of keysOf(a)) expect(key).toMatch(/\p{Cc}/u);
    }),
    { numRuns: 2_000 },
  );
  expect(versionKey('6')).not.toBe(versionKey('{6}'));
});
