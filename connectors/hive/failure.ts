import { GridError, type ErrorCode } from '../../grid/errors.ts';

/**
 * What Hive says when it is not the statement's fault: its own servers cannot be reached or are not ready. While HDFS is away the
 * metastore only says what it could not do there, and hides the reason; missing rights, which sound alike, are told apart.
 */
const TRANSIENT =
  /Unable to create database|Error creating \/|MetaException\(message:(?:Unable to|Got exception|Exception thrown|Error|java\.)|ConnectException|connection exception|Connection refused|SafeModeException|safe mode|StandbyException|SocketTimeoutException|SocketException|NoRouteToHostException|TTransportException|Could not connect to meta ?store|OutOfMemoryError|GC overhead|No live nodes|could only be written to 0 of|BlockMissingException|Connection reset|Broken pipe/i;

/** There is no database, table or view of a name: Hive's error codes 10001, 10003, 10004 and 10072, Spark's error class, or the metastore's own exception. */
const NOT_FOUND =
  /Error 100(?:01|03|04|72)\]|\[(?:TABLE_OR_VIEW|SCHEMA)_NOT_FOUND\]|NoSuchObjectException|(?:table|view|database|schema)\b.{0,80}(?:not found|does not exist|not exist)/i;

/**
 * What the metastore says to the slower of two that make the same thing: its own exception, or what its database says of the second row,
 * some layers below.
 */
const CONFLICT =
  /already[ _]?exists|JDODataStoreException|duplicate key|IntegrityConstraintViolation|Exception thrown when executing/i;

const DENIED = /permission denied|AccessControlException|HiveAccessControlException|not have .*privileges/i;

/**
 * What an error of the driver means: when Hive answered and the answer will stay the same `hive-not-found` (a database, table or view)
 * or `hive-refused`; `hive-conflict` when another was quicker to make the same; else `hive-unavailable`. `attempt` begins the message.
 */
export function hiveFailure(error: unknown, attempt: string): GridError {
  if (error instanceof GridError) return error;
  const sentence = sentenceOf(error);
  // Told by all that Hive says: the sentence is cut.
  const answer = isAnswer(error) ? textOf(error) : '';
  if (CONFLICT.test(answer) && !DENIED.test(answer)) {
    return failure(
      'hive-conflict',
      attempt,
      `Hive answered "${sentence}"`,
      'Another has made the same meanwhile. It is tried again.',
      error,
    );
  }
  if (NOT_FOUND.test(answer) && !DENIED.test(answer) && !TRANSIENT.test(answer)) {
    return failure('hive-not-found', attempt, `Hive answered "${sentence}"`, remedyOf(sentence), error);
  }
  if (isAnswer(error) && (DENIED.test(sentence) || !TRANSIENT.test(sentence))) {
    return failure('hive-refused', attempt, `Hive answered "${sentence}"`, remedyOf(sentence), error);
  }
  return failure(
    'hive-unavailable',
    attempt,
    sentence,
    'It is tried again; see the log of HiveServer2 if it lasts.',
    error,
  );
}

/** A call that was not answered in time. */
export function hiveTimeout(attempt: string, limitMs: number): GridError {
  return failure(
    'hive-timeout',
    attempt,
    `no answer within ${limitMs} ms`,
    'It is tried again; look at the load and the log of HiveServer2, or raise HIVE_CALL_TIMEOUT_MS.',
  );
}

function failure(code: ErrorCode, attempt: string, what: string, remedy: string, error?: unknown): GridError {
  // The driver's own errors hang on whole replies: only the text is kept.
  const cause = error instanceof Error ? new Error(error.message) : undefined;
  return new GridError(code, `${attempt}: ${what}. ${remedy}`, cause === undefined ? {} : { cause });
}

function remedyOf(sentence: string): string {
  if (/authenticat|unsupported mechanism|validating the login/i.test(sentence)) {
    return 'Correct user, password and auth in HIVE_URL.';
  }
  if (DENIED.test(sentence)) {
    return 'Give the user of HiveServer2 the rights on it.';
  }
  return 'Correct what it names.';
}

/** Whether Hive itself said so, as opposed to the connection. */
function isAnswer(error: unknown): boolean {
  // The driver's StatusError is no Error; its OperationStateError carries the reply; a TApplicationException is the server's.
  if (!(error instanceof Error)) return true;
  return 'response' in error || /^(?:AuthenticationError|TApplicationException)$/.test(error.constructor.name);
}

/** Hive's own sentence, in one line: without the stack traces and the frame that every compile error has. */
export function sentenceOf(error: unknown): string {
  const text = textOf(error)
    .replace(/^Error while (?:compiling|processing) statement: /, '')
    .replace(/^FAILED: /, '')
    .split(/\n\s*at /)[0];
  const line = (text ?? '').replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  if (line === '') return 'no reason given';
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}

function textOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('response' in error && typeof error.response === 'object' && error.response !== null) {
    const { response } = error;
    if ('errorMessage' in response && typeof response.errorMessage === 'string') return response.errorMessage;
  }
  return 'message' in error && typeof error.message === 'string' ? error.message : '';
}
