import { GridError, type ErrorCode } from '../../grid/errors.ts';

/** Numbers of `sys.messages` that mean: not you, not this, not with these rights. */
const DENIED = new Set([
  229, 230, 262, 297, 300, 371, 378, 911, 916, 4060, 4062, 4064, 15_247, 18_450, 18_452, 18_456, 18_458, 18_459, 18_461,
  18_463, 18_464, 18_465, 18_466, 18_467, 18_468, 18_470, 18_486, 18_487, 18_488, 33_147,
]);

/**
 * Numbers that mean: not now. Deadlock victim and lock time-out, memory and lock shortage, full tempdb and log, row versions
 * that were dropped, databases that are starting, restoring or failing over, servers that shut down or throttle.
 */
const NOT_NOW = new Set([
  233, 596, 615, 617, 669, 671, 701, 802, 904, 921, 922, 926, 927, 941, 942, 945, 952, 976, 978, 979, 981, 982, 983,
  984, 985, 988, 1101, 1105, 1121, 1204, 1205, 1214, 1222, 1807, 3635, 3952, 3957, 3958, 3959, 3960, 3964, 3965, 3966,
  3967, 3989, 6005, 6006, 8628, 8645, 8651, 8902, 9001, 9002, 10_053, 10_054, 10_060, 10_922, 10_928, 10_929, 10_930,
  10_936, 14_355, 14_906, 17_142, 17_187, 17_197, 17_300, 17_308, 17_809, 18_400, 18_401, 18_451, 25_003, 30_024,
  30_080, 35_202, 35_217, 40_143, 40_189, 40_197, 40_501, 40_540, 40_544, 40_549, 40_550, 40_551, 40_552, 40_553,
  40_613, 40_642, 40_648, 40_671, 40_675, 41_301, 41_302, 41_305, 41_325, 41_839, 42_108, 42_109, 45_161, 45_168,
  49_510, 49_918, 49_919, 49_920,
]);

/** The object is not the one that was planned any more: columns are gone, or DDL ran while a snapshot read it. */
const CHANGED = new Set([207, 213, 3961, 3962, 3963, 4413, 4501, 4502]);
const MISSING = new Set([208, 4701, 4902]);
/** Memory-optimized tables cannot be read by SNAPSHOT transactions. */
const MEMORY_OPTIMIZED = new Set([41_332, 41_333, 41_359]);

/** Driver codes that mean: there is no connection, or none any more. */
const CONNECTION_CODES = new Set([
  'ESOCKET',
  'ETIMEOUT',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNCLOSED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EINSTLOOKUP',
  'ECLOSE',
  'ENOTOPEN',
  'ENOTBEGUN',
  'EABORT',
  'EINVALIDSTATE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

const TLS_CODE =
  /^(EENCRYPT|EPROTO|ERR_SSL_.*|ERR_TLS_.*|CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|HOSTNAME_MISMATCH|INVALID_CA)$/;
const TLS_MESSAGE = /secure TLS connection|requires encryption|self[- ]signed certificate|does not support encryption/i;

/** A login that failed: what the server said, which the driver does not keep, and when one like it last worked. */
export interface LoginAttempt {
  readonly messages: readonly LoginMessage[];
  /** Since a login to this server with these credentials worked in this process; absent when none has. */
  readonly workedMsAgo?: number | undefined;
}

export interface LoginMessage {
  readonly number: number;
  /** Tells reasons of one message apart. */
  readonly state: number;
}

const LOGIN_FAILED = 18_456;
/** States of "Login failed" that are about the credentials: no such login, wrong password, disabled, to be changed, no access. */
const CREDENTIAL_STATES = new Set([2, 5, 6, 7, 8, 9, 11, 12, 18, 58]);
/** The server's usual state for remote clients, which hides the reason. */
const HIDDEN_STATE = 1;
/** For so long a hidden reason is taken for one that passes: a server that starts hides it too. Then the password may have been changed. */
const HIDDEN_REASON_MS = 15 * 60_000;
/** Refusals that also a server which starts or recovers sends: the database or the default database cannot be opened, too many or only one may log in. */
const ALSO_WHILE_STARTING = new Set([4060, 4062, 4063, 4064, 18_458, 18_459, 18_461]);

/**
 * Whether a refused login is worth another try. It is when these credentials have worked before, and nothing says that they do not
 * any more: a server that starts, or whose databases recover, refuses whoever comes, with numbers that need not be known here.
 */
function isPassing({ messages, workedMsAgo }: LoginAttempt): boolean {
  if (workedMsAgo === undefined) return false;
  const isFinal = ({ number, state }: LoginMessage): boolean => {
    if (number !== LOGIN_FAILED) return DENIED.has(number) && !ALSO_WHILE_STARTING.has(number);
    return CREDENTIAL_STATES.has(state);
  };
  if (messages.some(isFinal)) return false;
  const saysMore = messages.some(({ number, state }) => number !== LOGIN_FAILED || state !== HIDDEN_STATE);
  return saysMore || messages.length === 0 || workedMsAgo < HIDDEN_REASON_MS;
}

const REMEDIES: Partial<Record<ErrorCode, string>> = {
  'source-denied':
    'Check the user, the password, the database and the rights (SELECT on the tables) that HISTORY_MSSQL_URL stands for.',
  'source-tls-refused':
    'Let encrypt and trustServerCertificate in HISTORY_MSSQL_URL fit the server (trustServerCertificate=true accepts a self-signed certificate).',
  'source-unavailable': 'Check that the server runs and can be reached; it is tried again.',
  'unknown-table': 'Check its name, its case included, and the right to see it.',
  'table-changed': 'It was altered, truncated, rebuilt or dropped meanwhile; the import has to plan it anew.',
  'unsupported-server': 'Memory-optimized tables cannot be read at a snapshot: leave the table out.',
  'source-refused': 'Look the message up and correct the cause.',
};

/**
 * What an error of the mssql package means.
 *
 * @param attempt what was being done, on what; it begins the message.
 * @param login where it came up during login: {@link LoginAttempt}
 */
export function sqlServerFailure(error: unknown, attempt: string, login?: LoginAttempt): GridError {
  if (error instanceof GridError) return error;
  const own = chain(error).find((link) => link instanceof GridError);
  if (own instanceof GridError) return own;
  const links = chain(error);
  const loginNumbers = (login?.messages ?? []).map(({ number }) => number);
  const numbers = [...links.map(numberOf).filter((number) => number !== undefined), ...loginNumbers];
  const codes = links.map(codeOf).filter((code) => code !== undefined);
  const known = errorCode(numbers, codes, links.map(({ message }) => message).join('\n'));
  const code = known === 'source-denied' && login !== undefined && isPassing(login) ? 'source-unavailable' : known;
  if (code === undefined) {
    return new GridError(
      'defect',
      `${attempt}: unexpected ${said(links)}. This is a defect of the program; please report it.`,
      {
        cause: error,
      },
    );
  }
  const number = numbers.at(0);
  const told = number === undefined ? said(links) : `SQL Server answered "${said(links)}" (message ${number})`;
  return new GridError(code, `${attempt}: ${told}. ${REMEDIES[code] ?? ''}`.trimEnd(), { cause: error });
}

function errorCode(numbers: readonly number[], codes: readonly string[], text: string): ErrorCode | undefined {
  for (const number of numbers) {
    if (NOT_NOW.has(number)) return 'source-unavailable';
    if (DENIED.has(number)) return 'source-denied';
    if (CHANGED.has(number)) return 'table-changed';
    if (MISSING.has(number)) return 'unknown-table';
    if (MEMORY_OPTIMIZED.has(number)) return 'unsupported-server';
  }
  if (codes.some((code) => TLS_CODE.test(code)) || TLS_MESSAGE.test(text)) return 'source-tls-refused';
  if (codes.includes('ELOGIN')) return 'source-denied';
  if (codes.some((code) => CONNECTION_CODES.has(code))) return 'source-unavailable';
  if (numbers.length > 0 || codes.includes('EREQUEST')) return 'source-refused';
  return undefined;
}

/** An error with all that it wraps: `originalError`, `cause` and the members of an AggregateError; itself first. */
function chain(error: unknown): Error[] {
  const links: Error[] = [];
  const visit = (next: unknown): void => {
    if (!(next instanceof Error) || links.includes(next) || links.length > 20) return;
    links.push(next);
    if ('originalError' in next) visit(next.originalError);
    if (next instanceof AggregateError) next.errors.forEach(visit);
    visit(next.cause);
  };
  visit(error);
  return links.length === 0 ? [new Error(String(error))] : links;
}

function numberOf(error: Error): number | undefined {
  return 'number' in error && typeof error.number === 'number' ? error.number : undefined;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The most telling message, briefly: the driver's wrappers repeat their cause, aggregates say nothing. */
function said(links: readonly Error[]): string {
  const message = links.map((link) => link.message).find((text) => text !== '') ?? 'an error without a message';
  return message.length > 400 ? `${message.slice(0, 400)}…` : message.replace(/[.\s]+$/, '');
}
