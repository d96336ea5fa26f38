import type { ConsumedRecord } from '../../../connectors/kafka/consume/consumed.ts';
import { recordBytes, type OutgoingRecord } from '../../../connectors/kafka/produce/transactional-writer.ts';
import type { Rejection } from '../../../grid/envelope.ts';

/** The headers that say why a record was set aside and where it lies. */
export const DEAD_LETTER_HEADERS = {
  code: 'error-code',
  detail: 'error-detail',
  topic: 'source-topic',
  partition: 'source-partition',
  offset: 'source-offset',
  timestamp: 'source-timestamp',
  /** Only on a record that the dead-letter topic cannot take whole: what was left out. */
  shortened: 'shortened',
} as const;

const OUR_NAMES = new Set<string>(Object.values(DEAD_LETTER_HEADERS));
/** A header that has one of our names already, as a dead letter that was sent in again has, is kept under another. */
const EARLIER_PREFIX = 'earlier-';

type Headers = Record<string, string | Buffer | (string | Buffer)[]>;

export interface DeadLetterSource {
  readonly topic: string;
  readonly partition: number;
  readonly record: ConsumedRecord;
}

/**
 * The dead-letter record of one that could not be read: its key, value and headers, and beside them headers that say why
 * it could not be read and where it lies.
 *
 * @param maxBytes the largest record batch that the dead-letter topic takes. It is made larger than the source's, so that all
 *   fits; where it was not, as much is left out as must be (the value's end, then headers, then the key), a header says so,
 *   and the whole is at the source offset.
 */
export function deadLetter(
  topic: string,
  { topic: sourceTopic, partition, record }: DeadLetterSource,
  rejection: Rejection,
  maxBytes: number,
): OutgoingRecord {
  const reasons: Headers = {
    [DEAD_LETTER_HEADERS.code]: rejection.code,
    [DEAD_LETTER_HEADERS.detail]: rejection.message,
    [DEAD_LETTER_HEADERS.topic]: sourceTopic,
    [DEAD_LETTER_HEADERS.partition]: String(partition),
    [DEAD_LETTER_HEADERS.offset]: String(record.offset),
    [DEAD_LETTER_HEADERS.timestamp]: String(record.timestampMs),
  };
  const originals = originalHeaders(record);
  const { key, value } = record;
  const whole = { topic, key, value, headers: { ...renamed(originals), ...reasons } };
  if (recordBytes(whole) <= maxBytes) return whole;

  const shortened = (text: string): Headers => ({ ...reasons, [DEAD_LETTER_HEADERS.shortened]: text });
  const valueBytes = value?.length ?? 0;
  const withoutHeaders = `all headers and the value's end left out; the value had ${valueBytes} bytes`;
  const attempts: readonly OutgoingRecord[] = [
    {
      ...whole,
      headers: { ...renamed(originals), ...shortened(`the value's end left out; the value had ${valueBytes} bytes`) },
    },
    { ...whole, headers: shortened(withoutHeaders) },
    { ...whole, key: null, headers: shortened(`the key of ${key?.length ?? 0} bytes, ${withoutHeaders}`) },
  ];
  for (const attempt of attempts) {
    const room = maxBytes - recordBytes({ ...attempt, value: null });
    if (room >= 0) return { ...attempt, value: value === null ? null : value.subarray(0, room) };
  }
  // No topic is that small; Kafka will say what it thinks of it.
  return { ...whole, key: null, value: null, headers: reasons };
}

/** A record's headers as they can be written: kafkajs cannot write the null that Kafka allows as a value; it becomes empty. */
export function originalHeaders(record: ConsumedRecord): Headers {
  // Names come from outside: one of them may be that of a member of Object.
  const headers = Object.create(null) as Headers;
  for (const [name, value] of Object.entries(record.headers)) {
    headers[name] = Array.isArray(value) ? value.map(orEmpty) : orEmpty(value);
  }
  return headers;
}

function orEmpty(value: string | Buffer | null | undefined): string | Buffer {
  return value ?? '';
}

function renamed(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [OUR_NAMES.has(name) ? EARLIER_PREFIX + name : name, value]),
  );
}
