/**
 * Whose fault an error is: `input` – the bytes that a source sent; `operator` – configuration, rights or addresses;
 * `store` – a server that is down, slow or full; `program` – a defect of ours.
 */
export type Fault = 'input' | 'operator' | 'store' | 'program';

/**
 * What is done with whatever the error stopped: `quarantine` – set it aside with its code (dead-letter topic,
 * rejection in a reply) and go on; `retry` – do the same again later; `restart` – give up the ownership under which
 * it was tried and recover first; `stop` – end the process or job, since going on would hide the problem.
 */
export type Disposition = 'quarantine' | 'retry' | 'restart' | 'stop';

/** The decisions that hang on an error code. Callers decide by these, never by message text. */
export interface ErrorProperties {
  readonly retryable: boolean;
  readonly fault: Fault;
  readonly disposition: Disposition;
  /** Status with which an HTTP reply reports it. */
  readonly httpStatus: number;
}

const input = (httpStatus = 422): ErrorProperties => ({
  retryable: false,
  fault: 'input',
  disposition: 'quarantine',
  httpStatus,
});
const operator = (httpStatus = 500): ErrorProperties => ({
  retryable: false,
  fault: 'operator',
  disposition: 'stop',
  httpStatus,
});
const store = (httpStatus = 503): ErrorProperties => ({
  retryable: true,
  fault: 'store',
  disposition: 'retry',
  httpStatus,
});

/**
 * The closed list of error codes. One code, one meaning, one decision; it is what stands in dead-letter headers,
 * HTTP replies, logs and metrics, so a code is never renamed.
 */
export const ERRORS = {
  // What a source sent.
  'empty-record': input(),
  'invalid-encoding': input(),
  'malformed-json': input(400),
  'not-an-envelope': input(),
  'malformed-payload': input(),
  'missing-field': input(),
  'wrong-type': input(),
  'not-a-number': input(),
  'invalid-sensor-id': input(),
  'invalid-unit': input(),
  'unknown-aspect': input(),
  'unknown-schema-version': input(),
  'event-time-too-old': input(),
  'event-time-too-far-ahead': input(),
  'oversized-record': input(413),
  'malformed-line-protocol': input(400),
  'malformed-source-data': input(),
  'request-too-large': input(413),
  'unsupported-media-type': input(415),
  'malformed-compression': input(400),
  'malformed-request': input(400),
  'unknown-route': input(404),
  'method-not-allowed': input(405),
  'not-found': input(404),
  'not-authenticated': input(401),
  'not-allowed': input(403),
  'too-many-requests': { retryable: true, fault: 'input', disposition: 'retry', httpStatus: 429 },
  // Kafka.
  'kafka-unavailable': store(),
  'kafka-refused': operator(502),
  'producer-queue-full': store(429),
  'not-acknowledged': store(),
  'offset-beyond-end': operator(),
  'batch-undecodable': operator(),
  'expired-before-read': { retryable: false, fault: 'operator', disposition: 'retry', httpStatus: 500 },
  // HDFS.
  'hdfs-unavailable': store(),
  'hdfs-timeout': store(504),
  'hdfs-safe-mode': store(),
  'hdfs-no-space': store(507),
  'hdfs-denied': operator(),
  'hdfs-not-found': { retryable: false, fault: 'store', disposition: 'restart', httpStatus: 404 },
  'hdfs-already-exists': { retryable: false, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'hdfs-refused': operator(502),
  'hdfs-verification-failed': { retryable: true, fault: 'store', disposition: 'restart', httpStatus: 502 },
  fenced: { retryable: true, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'commit-lost': { retryable: true, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'commit-log-corrupt': operator(),
  'commit-set-aside': operator(),
  // Other stores and sources.
  'redis-unavailable': store(),
  'redis-refused': operator(502),
  'redis-rolled-back': { retryable: true, fault: 'store', disposition: 'restart', httpStatus: 503 },
  'mongodb-unavailable': store(),
  'mongodb-refused': operator(502),
  'serving-database-unavailable': store(),
  'serving-database-refused': operator(502),
  'source-unavailable': store(502),
  'source-refused': operator(502),
  // History in SQL databases, and the batch jobs that import it.
  'source-denied': operator(403),
  'source-unreachable': operator(502),
  'source-tls-refused': operator(502),
  'unsupported-server': operator(502),
  'unknown-table': operator(404),
  'unknown-column': operator(404),
  'unsupported-column': operator(),
  'row-too-large': operator(413),
  'append-impossible': operator(409),
  'table-changed': { retryable: false, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'snapshot-lost': { retryable: false, fault: 'store', disposition: 'restart', httpStatus: 410 },
  'import-verification-failed': { retryable: true, fault: 'store', disposition: 'restart', httpStatus: 502 },
  'split-unverifiable': { retryable: false, fault: 'store', disposition: 'stop', httpStatus: 502 },
  'import-conflict': { retryable: false, fault: 'operator', disposition: 'restart', httpStatus: 409 },
  'splits-parked': { retryable: false, fault: 'store', disposition: 'stop', httpStatus: 500 },
  'table-conflict': operator(409),
  'invalid-input': operator(400),
  'not-countable': operator(422),
  'statement-not-allowed': operator(403),
  'time-limit-passed': operator(504),
  'files-changed': { retryable: false, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'views-overtaken': { retryable: false, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'master-data-incomplete': operator(422),
  // Discovery of legacy files.
  'not-discoverable': operator(422),
  'legacy-not-found': operator(404),
  'legacy-conflict': operator(409),
  'hive-unavailable': store(),
  'hive-timeout': store(504),
  'hive-refused': operator(502),
  'hive-not-found': operator(404),
  'hive-conflict': { retryable: true, fault: 'store', disposition: 'restart', httpStatus: 409 },
  'temporal-unavailable': store(),
  'temporal-refused': operator(502),
  // Setting up and running servers natively.
  'tool-missing': operator(),
  'download-failed': store(),
  'checksum-mismatch': operator(),
  'disk-full': operator(),
  'server-start-failed': store(),
  'server-stop-failed': operator(),
  // The process.
  'invalid-configuration': operator(),
  'invalid-routes': operator(),
  'address-in-use': operator(),
  'already-running': operator(409),
  'worker-failed': { retryable: true, fault: 'program', disposition: 'restart', httpStatus: 500 },
  'shutting-down': { retryable: true, fault: 'operator', disposition: 'retry', httpStatus: 503 },
  defect: { retryable: false, fault: 'program', disposition: 'stop', httpStatus: 500 },
} as const satisfies Record<string, ErrorProperties>;

/** One code of the closed list {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * The one error class of the project. The message says what was attempted, on what, what came back and what to do;
 * `cause` keeps the error of the driver or system below.
 */
export class GridError extends Error {
  override readonly name = 'GridError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly fault: Fault;
  readonly disposition: Disposition;
  readonly httpStatus: number;
  /** What whoever decides needs beside the code; plain data. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; details?: GridError['details'] }) {
    super(message, options);
    this.code = code;
    this.details = options?.details;
    const properties = ERRORS[code];
    this.retryable = properties.retryable;
    this.fault = properties.fault;
    this.disposition = properties.disposition;
    this.httpStatus = properties.httpStatus;
  }
}

/** `error` itself when it is ours, else a `defect` that keeps it as its cause. `attempt` says what was being done. */
export function asGridError(error: unknown, attempt: string): GridError {
  if (error instanceof GridError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new GridError(
    'defect',
    `${attempt}: unexpected ${detail}. This is a defect of the program; please report it.`,
    {
      cause: error,
    },
  );
}
