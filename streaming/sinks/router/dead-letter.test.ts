import { describe, expect, test } from 'vitest';
import type { ConsumedRecord } from '../../../connectors/kafka/consume/consumed.ts';
import { recordBytes } from '../../../connectors/kafka/produce/transactional-writer.ts';
import { deadLetter } from './dead-letter.ts';

const REJECTION = { code: 'malformed-json', message: 'The envelope is not valid JSON.' } as const;
const ROOM = 1_048_588;

function source(record: Partial<ConsumedRecord>) {
  const whole: ConsumedRecord = {
    offset: 42,
    key: Buffer.from('6'),
    value: Buffer.from('{'),
    timestampMs: 5,
    headers: {},
    ...record,
  };
  return { topic: 'INGESTION', partition: 3, record: whole };
}

describe('a dead letter', () => {
  test('has the original key, value and headers, and says why it is one and where it lies', () => {
    const headers = { replayed: Buffer.from([0xff, 0x00]), many: [Buffer.from('a'), Buffer.from('b')] };
    expect(deadLetter('DLQ', source({ headers }), REJECTION, ROOM)).toEqual({
      topic: 'DLQ',
      key: Buffer.from('6'),
      value: Buffer.from('{'),
      headers: {
        ...headers,
        'error-code': 'malformed-json',
        'error-detail': 'The envelope is not valid JSON.',
        'source-topic': 'INGESTION',
        'source-partition': '3',
        'source-offset': '42',
        'source-timestamp': '5',
      },
    });
  });

  test('keeps the absence of a key and of a value', () => {
    const letter = deadLetter('DLQ', source({ key: null, value: null }), REJECTION, ROOM);
    expect([letter.key, letter.value]).toEqual([null, null]);
  });

  test('of a dead letter that was sent in again keeps the earlier reasons under other names', () => {
    const letter = deadLetter('DLQ', source({ headers: { 'error-code': Buffer.from('wrong-type') } }), REJECTION, ROOM);
    expect(letter.headers['error-code']).toBe('malformed-json');
    expect(letter.headers['earlier-error-code']).toEqual(Buffer.from('wrong-type'));
  });

  test.each([
    ['its value', { value: Buffer.alloc(5_000, 'x') }],
    ['its headers', { headers: { a: Buffer.alloc(5_000, 'x') } }],
    ['its key', { key: Buffer.alloc(5_000, 'x') }],
    [
      'its key, headers and value',
      { key: Buffer.alloc(5_000), headers: { a: 'x'.repeat(5_000) }, value: Buffer.alloc(5_000) },
    ],
  ])('too large for its topic by %s is shortened just enough and says so', (_what, record) => {
    const letter = deadLetter('DLQ', source(record), REJECTION, 4_000);
    expect(recordBytes(letter)).toBeLessThanOrEqual(4_000);
    expect(letter.headers['shortened']).toMatch(/left out/);
    expect(letter.headers['source-offset']).toBe('42');
    if ('value' in record) expect(letter.value?.length).toBeGreaterThan(2_000);
  });
});
