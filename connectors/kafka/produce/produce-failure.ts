import { GridError } from '../../../grid/errors.ts';
import { failureText, protocolErrorType } from '../failure.ts';

/**
 * What a failed attempt to write a batch means:
 * `retry` – the same batch again on the same session, which Kafka then recognises if it had written it after all;
 * `written` – Kafka has the batch already; `renew` – the session's sequence is broken, the batch was not written;
 * `too-large` – not written, fewer records at once may be; `unknown-topic` – it may just have been made, else refused;
 * `refused` – not written, and never will be.
 */
export type ProduceFailureKind = 'retry' | 'written' | 'renew' | 'too-large' | 'unknown-topic' | 'refused';

/** Names of Kafka protocol errors (https://kafka.apache.org/protocol#protocol_error_codes) that are not just repeated. */
const KIND_BY_PROTOCOL_ERROR: ReadonlyMap<string, ProduceFailureKind> = new Map(
  Object.entries<ProduceFailureKind>({
    DUPLICATE_SEQUENCE_NUMBER: 'written',
    OUT_OF_ORDER_SEQUENCE_NUMBER: 'renew',
    UNKNOWN_PRODUCER_ID: 'renew',
    INVALID_PRODUCER_EPOCH: 'renew',
    PRODUCER_FENCED: 'renew',
    INVALID_PRODUCER_ID_MAPPING: 'renew',
    MESSAGE_TOO_LARGE: 'too-large',
    RECORD_LIST_TOO_LARGE: 'too-large',
    UNKNOWN_TOPIC_OR_PARTITION: 'unknown-topic',
    INVALID_TOPIC_EXCEPTION: 'refused',
    TOPIC_AUTHORIZATION_FAILED: 'refused',
    CLUSTER_AUTHORIZATION_FAILED: 'refused',
    INVALID_RECORD: 'refused',
    INVALID_TIMESTAMP: 'refused',
    INVALID_REQUIRED_ACKS: 'refused',
    POLICY_VIOLATION: 'refused',
    UNSUPPORTED_VERSION: 'refused',
    UNSUPPORTED_FOR_MESSAGE_FORMAT: 'refused',
    UNSUPPORTED_COMPRESSION_TYPE: 'refused',
  }),
);

/** Sorts what kafkajs threw, which wraps the protocol's error in errors of its own. */
export function produceFailureKind(error: unknown): ProduceFailureKind {
  const type = protocolErrorType(error);
  return (type === undefined ? undefined : KIND_BY_PROTOCOL_ERROR.get(type)) ?? 'retry';
}

/** For records of which it cannot be told whether Kafka has them. */
export function notAcknowledged(records: number, topic: string, why: string, cause?: unknown): GridError {
  return new GridError(
    'not-acknowledged',
    `Writing ${records} records to Kafka topic ${topic}: not acknowledged, ${why}. They may or may not be written; send them again.`,
    { cause },
  );
}

/** For records that Kafka will not take. */
export function refused(records: number, topic: string, cause: unknown): GridError {
  return new GridError(
    'kafka-refused',
    `Writing ${records} records to Kafka topic ${topic}: refused with ${failureText(cause)}. Check that the topic exists, its settings and the rights on it.`,
    { cause },
  );
}
