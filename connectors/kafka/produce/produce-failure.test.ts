import { KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { expect, it } from 'vitest';
import { failureText } from '../failure.ts';
import { produceFailureKind } from './produce-failure.ts';

function protocolError(type: string): Error {
  return Object.assign(new KafkaJSProtocolError(new Error(`what ${type} means`)), { type });
}

it.each([
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'renew'],
  ['DUPLICATE_SEQUENCE_NUMBER', 'written'],
  ['MESSAGE_TOO_LARGE', 'too-large'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'unknown-topic'],
  ['TOPIC_AUTHORIZATION_FAILED', 'refused'],
  ['NOT_LEADER_FOR_PARTITION', 'retry'],
  ['NOT_ENOUGH_REPLICAS', 'retry'],
])('%s means %s, also inside what kafkajs wraps it in', (type, kind) => {
  const error = protocolError(type);
  expect(produceFailureKind(error)).toBe(kind);
  const wrapped = new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 1, retryTime: 1 });
  expect(produceFailureKind(wrapped)).toBe(kind);
  expect(failureText(wrapped)).toContain(type);
});

it('takes what it does not know for something that may get better', () => {
  expect(produceFailureKind(new Error('socket hang up'))).toBe('retry');
  expect(produceFailureKind('nonsense')).toBe('retry');
});
