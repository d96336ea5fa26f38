import fc from 'fast-check';
import { v5 } from 'uuid';
import { expect, test } from 'vitest';
import { nameUuids } from './name-uuid.ts';

test('ids are those of UUID version 5', () => {
  const namespace = 'b1f6e3a2-6c55-4d0e-9b42-7b0c5f1d8a90';
  const uuid = nameUuids(namespace);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (name) => {
      expect(uuid(name)).toBe(v5(name, namespace));
    }),
  );
  for (const length of [340, 341, 342, 2_000]) expect(uuid('€'.repeat(length))).toBe(v5('€'.repeat(length), namespace));
});
