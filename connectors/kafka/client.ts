import { Kafka, logLevel, type LogEntry, type RetryOptions } from 'kafkajs';
import type { Logger } from '../../runtime/logger.ts';
import { installFetchDecoding } from './consume/decode/install.ts';

export type { Kafka as KafkaClient };

/** What is needed to reach a Kafka cluster. */
export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
  /** Longest wait for a connection, milliseconds. */
  readonly connectionTimeoutMs?: number;
  /** Longest wait for a reply, milliseconds. */
  readonly requestTimeoutMs?: number;
  /** How kafkajs repeats by itself; for a caller that repeats on its own. */
  readonly retry?: RetryOptions;
}

/** A kafkajs client whose log goes into ours. Retrying for ever is the callers' affair, who can tell what waits for it. */
export function createKafka(options: KafkaOptions): Kafka {
  installFetchDecoding();
  return new Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: options.connectionTimeoutMs ?? 3_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    retry: options.retry ?? { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      forward(options.logger, entry);
    },
  });
}

function forward(logger: Logger, { namespace, level, log }: LogEntry): void {
  const { message, timestamp: _timestamp, ...fields } = log;
  const entry = { component: `kafka.${namespace}`, ...fields };
  // A broker that restarts makes kafkajs log errors for what it then repeats by itself: warnings, to us.
  if (level <= logLevel.WARN) logger.warn(entry, message);
  else logger.debug(entry, message);
}
