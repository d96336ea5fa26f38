import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { done, DONE_COUNT, errorToken, metadata, rowToken, type PeerColumn, type PeerValue } from './test-tokens.ts';
import { withoutRows } from './wire-reply.ts';
import type { Row, WireRow } from './wire-row.ts';

interface Taken {
  readonly rows: Row[];
  readonly others: Buffer;
}

/** Reads a reply that comes in pieces of the given sizes, in turn. */
async function read(reply: Buffer, sizes: readonly number[]): Promise<Taken> {
  const rows: Row[] = [];
  const others: Buffer[] = [];
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0, turn = 0; at < reply.length; turn++) {
      const size = sizes[turn % sizes.length] ?? reply.length;
      await Promise.resolve();
      // Memory of its own, which is overwritten afterwards: nothing may hold on to it.
      const piece = Buffer.from(reply.subarray(at, at + size));
      yield piece;
      piece.fill(0xee);
      at += size;
    }
  };
  const onRow = (row: WireRow): Promise<void> | undefined => {
    rows.push(row.values());
    return rows.length % 3 === 0 ? Promise.resolve() : undefined;
  };
  let broken: unknown;
  const tokens = withoutRows(pieces(), { onBytes: () => undefined, onRow }, (error) => (broken = error));
  // A reply that cannot be read never ends.
  for (;;) {
    const next = await Promise.race([
      tokens.next(),
      new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
    ]);
    if (broken !== undefined) throw broken as Error;
    if (next === undefined) continue;
    if (next.done === true) return { rows, others: Buffer.concat(others) };
    others.push(next.value);
  }
}

const GUID = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
const COLUMNS: readonly PeerColumn[] = [
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'int not null',
  'bigint not null',
  'bit',
  'bit not null',
  'guid',
  'text',
  'large',
  'characters',
  'bytes',
  'large bytes',
  'hash',
];
const text = fc.string({ unit: fc.constantFrom('a', '\t', 'é', '😀', '\ud800', '\0'), maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 4 });
const integer = (bits: number): fc.Arbitrary<string> =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }).map(String);
const row: fc.Arbitrary<readonly PeerValue[]> = fc.tuple(
  orNull(fc.nat(255).map(String)),
  orNull(integer(16)),
  orNull(integer(32)),
  orNull(integer(64)),
  integer(32),
  integer(64),
  orNull(fc.boolean()),
  fc.boolean(),
  orNull(fc.constant(GUID)),
  orNull(text),
  orNull(text),
  orNull(fc.stringMatching(/^[ -~]{0,20}$/)),
  orNull(bytes),
  orNull(bytes),
  orNull(fc.constant(Buffer.alloc(16, 7))),
);

const valueOf = (value: PeerValue): Row[number] => {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value === GUID ? '33221100-5544-7766-8899-AABBCCDDEEFF' : value;
};

describe('a reply', () => {
  it('gives its rows, however it is cut into packets, and leaves all else to the driver', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 8 }),
        fc.array(
          fc.nat(60).map((size) => size + 1),
          { minLength: 1, maxLength: 5 },
        ),
        fc.record({ compressed: fc.boolean(), pieceBytes: fc.constantFrom(1, 7, 1_000), untold: fc.boolean() }),
        async (rows, sizes, form) => {
          const others = [metadata(COLUMNS), errorToken(3621, 'a warning'), done(DONE_COUNT, rows.length)];
          const [head, warning, end] = others;
          const tokens = rows.map((values) => rowToken(COLUMNS, values, form));
          const reply = Buffer.concat([head ?? '', ...tokens, warning ?? '', end ?? ''] as Buffer[]);
          const taken = await read(reply, sizes);
          expect(taken.rows).toEqual(rows.map((values) => values.map(valueOf)));
          expect(taken.others).toEqual(Buffer.concat(others));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('reads a value of megabytes in small packets in time that grows with its size', async () => {
    const value = Buffer.alloc(24 * 1024 * 1024, 'x');
    const columns: readonly PeerColumn[] = ['large bytes'];
    const token = rowToken(columns, [value], { pieceBytes: 8_000, untold: true });
    const reply = Buffer.concat([metadata(columns), token, done(DONE_COUNT, 1)]);
    const { rows } = await read(reply, [4_088]);
    expect((rows[0]?.[0] as Buffer).equals(value)).toBe(true);
  }, 30_000);

  it.each([
    ['ends within a row', Buffer.concat([metadata(['text']), rowToken(['text'], ['abc'])]).subarray(0, -1)],
    ['has a row before its columns', rowToken(['int'], ['1'])],
    ['has a token that nobody knows', Buffer.concat([metadata(['int']), Buffer.from([0x42, 0, 0])])],
    ['has a column of a type that was not asked for', Buffer.from([0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0x3d, 0])],
    [
      'claims a value beyond all limits',
      Buffer.concat([metadata(['large']), Buffer.from([0xd1, 0, 0, 0, 0, 0, 1, 0, 0])]),
    ],
  ])('is told to be broken when it %s', async (_, reply) => {
    await expect(read(reply, [5])).rejects.toThrow();
  });
});
