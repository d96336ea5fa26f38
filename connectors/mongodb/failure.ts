import { MongoBulkWriteError, MongoError, MongoErrorLabel, MongoServerError, type WriteError } from 'mongodb';
import { GridError } from '../../grid/errors.ts';

/**
 * Server codes by which MongoDB says: not now (MongoDB's `error_codes.yml`): unreachable hosts, time limits, elections and
 * step-downs, shutdown, write concern not met in time, conflicts.
 */
const TRANSIENT_CODES = new Set([
  6, 7, 24, 50, 64, 89, 91, 100, 112, 133, 134, 189, 202, 262, 317, 358, 384, 9001, 10058, 10107, 11600, 11602, 13435,
  13436, 13388, 50915,
]);
const DUPLICATE_KEY = 11_000;

const REMEDIES: Readonly<Record<number, string>> = {
  13: 'The MongoDB user lacks rights: it needs readWrite on the database.',
  18: 'MongoDB does not know this user and password: correct MONGODB_URL.',
  121: 'The collection has a validator that refuses the document: remove or widen it.',
  14031: 'The disk of MongoDB is full: free some space.',
  10334: 'The document is larger than 16 MB: lower ENVELOPE_MAX_BYTES.',
};

/**
 * What a driver error means: `mongodb-refused` when MongoDB answered and the answer will stay the same until somebody
 * changes something, else `mongodb-unavailable` (down, electing, too slow).
 *
 * @param attempt what was being done, on what; it begins the message.
 */
export function mongodbFailure(error: unknown, attempt: string): GridError {
  if (error instanceof GridError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof MongoServerError && !isTransient(error)) {
    const code = typeof error.code === 'number' ? error.code : 0;
    const remedy = REMEDIES[code] ?? 'Look the answer up and correct the cause.';
    return new GridError(
      'mongodb-refused',
      `${attempt}: MongoDB answered "${brief(message)}" (code ${code}). ${remedy}`,
      {
        cause: slim(error),
      },
    );
  }
  if (error instanceof MongoError) {
    return new GridError('mongodb-unavailable', `${attempt}: ${brief(message)}. It is tried again.`, {
      cause: slim(error),
    });
  }
  return new GridError('defect', `${attempt}: unexpected ${brief(message)}.`, { cause: slim(error) });
}

/** How an unordered insert that reported errors came out. */
export type InsertOutcome =
  /** All that failed was there already, under its `_id`. */
  { readonly kind: 'present'; readonly documents: number } | { readonly kind: 'failed'; readonly error: GridError };

/** Tells documents that were there already from all other errors of an unordered insert. */
export function insertOutcome(error: unknown, attempt: string): InsertOutcome {
  if (!(error instanceof MongoBulkWriteError)) return { kind: 'failed', error: mongodbFailure(error, attempt) };
  const writeErrors: readonly WriteError[] = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  const other = writeErrors.find((writeError) => !isDuplicateId(writeError));
  if (other !== undefined) {
    const code = other.code;
    const text = `MongoDB answered "${brief(other.errmsg ?? '')}" (code ${code})`;
    if (TRANSIENT_CODES.has(code)) {
      return {
        kind: 'failed',
        error: new GridError('mongodb-unavailable', `${attempt}: ${text}. It is tried again.`, { cause: slim(error) }),
      };
    }
    const remedy =
      code === DUPLICATE_KEY
        ? 'A unique index beside that of _id refuses the document: drop it, since every record is to be kept.'
        : (REMEDIES[code] ?? 'Look the answer up and correct the cause.');
    return {
      kind: 'failed',
      error: new GridError('mongodb-refused', `${attempt}: ${text}. ${remedy}`, { cause: slim(error) }),
    };
  }
  // Written, but not (yet) by as many servers as was asked for: only the next answer tells.
  const unmet = error.result.getWriteConcernError();
  if (unmet !== undefined || writeErrors.length === 0) {
    const reason = unmet?.errmsg ?? error.message;
    return {
      kind: 'failed',
      error: new GridError('mongodb-unavailable', `${attempt}: ${brief(reason)}. It is tried again.`, {
        cause: slim(error),
      }),
    };
  }
  return { kind: 'present', documents: writeErrors.length };
}

function isDuplicateId({ code, errmsg }: WriteError): boolean {
  return code === DUPLICATE_KEY && / index: _id_(?:\s|$)/.test(errmsg ?? '');
}

function isTransient(error: MongoServerError): boolean {
  return (
    (typeof error.code === 'number' && TRANSIENT_CODES.has(error.code)) ||
    error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
    error.hasErrorLabel(MongoErrorLabel.RetryableError)
  );
}

/** A driver error without what hangs on it: a bulk write's has the ids and texts of all its documents, too much for a log. */
function slim(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

function brief(message: string): string {
  return message.length > 300 ? `${message.slice(0, 300)}…` : message.replace(/\.$/, '');
}
