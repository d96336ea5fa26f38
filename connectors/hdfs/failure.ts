import { z } from 'zod';
import { GridError, type ErrorCode } from '../../grid/errors.ts';

/** What was being done, for messages: `CREATE /topics/x`, and where: `NameNode localhost:9870`. */
export interface Attempt {
  readonly operation: string;
  readonly path: string;
  readonly server: string;
}

/** The JSON body with which WebHDFS reports every error of its own. */
const remoteExceptionSchema = z.object({
  RemoteException: z.object({ exception: z.string(), message: z.string().nullish() }),
});

/** A RemoteException of Hadoop: its class's simple name, and its message without the stack trace. */
export interface RemoteException {
  readonly exception: string;
  readonly message: string;
}

/** The RemoteException in a reply's body (text or parsed JSON), if it holds one. */
export function remoteExceptionIn(body: unknown): RemoteException | undefined {
  const parsed = remoteExceptionSchema.safeParse(typeof body === 'string' ? parseJson(body) : body);
  if (!parsed.success) return undefined;
  const { exception, message } = parsed.data.RemoteException;
  // DataNodes put the stack trace into the message; safe mode's has lines.
  const text = (message ?? '').split('\n\tat ')[0] ?? '';
  return { exception, message: text.replace(/\s+/g, ' ').trim().replace(/\.$/, '') };
}

/** Parsed JSON, or undefined when `text` is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

interface Verdict {
  readonly code: ErrorCode;
  readonly advice: string;
}

const VERDICTS = {
  unavailable: {
    code: 'hdfs-unavailable',
    advice: 'It is tried again; see the NameNode and DataNode logs if it lasts.',
  },
  standby: {
    code: 'hdfs-unavailable',
    advice: 'This NameNode is not the active one; name all NameNodes in WEBHDFS_URL.',
  },
  safeMode: {
    code: 'hdfs-safe-mode',
    advice:
      'The NameNode leaves safe mode by itself when its DataNodes have reported; else run hdfs dfsadmin -safemode leave.',
  },
  denied: {
    code: 'hdfs-denied',
    advice: 'Give HDFS_USER the rights on this path (hdfs dfs -chown), or name another user.',
  },
  notFound: { code: 'hdfs-not-found', advice: 'It was deleted, renamed or never made.' },
  exists: { code: 'hdfs-already-exists', advice: 'Another process made it; look at the path before going on.' },
  noSpace: { code: 'hdfs-no-space', advice: 'Free space on the DataNodes or raise the quota of the directory.' },
  lostLease: { code: 'fenced', advice: 'Another client took the file over; recover before writing again.' },
  refused: {
    code: 'hdfs-refused',
    advice: 'HDFS will not do this however often it is asked; correct the path or the call.',
  },
  notWebHdfs: {
    code: 'hdfs-refused',
    advice: 'This address does not speak WebHDFS: check WEBHDFS_URL and dfs.webhdfs.enabled.',
  },
  timeout: { code: 'hdfs-timeout', advice: 'A server between here and HDFS gave up waiting; it is tried again.' },
} as const satisfies Record<string, Verdict>;

const BY_EXCEPTION: ReadonlyMap<string, Verdict> = new Map(
  Object.entries<Verdict>({
    StandbyException: VERDICTS.standby,
    SafeModeException: VERDICTS.safeMode,
    AccessControlException: VERDICTS.denied,
    AuthorizationException: VERDICTS.denied,
    AuthenticationException: VERDICTS.denied,
    SecurityException: VERDICTS.denied,
    InvalidToken: VERDICTS.denied,
    FileNotFoundException: VERDICTS.notFound,
    NoSuchFileException: VERDICTS.notFound,
    FileAlreadyExistsException: VERDICTS.exists,
    AlreadyBeingCreatedException: VERDICTS.exists,
    DSQuotaExceededException: VERDICTS.noSpace,
    NSQuotaExceededException: VERDICTS.noSpace,
    QuotaByStorageTypeExceededException: VERDICTS.noSpace,
    QuotaExceededException: VERDICTS.noSpace,
    ClusterStorageCapacityExceededException: VERDICTS.noSpace,
    DiskOutOfSpaceException: VERDICTS.noSpace,
    LeaseExpiredException: VERDICTS.lostLease,
    InvalidPathException: VERDICTS.refused,
    IllegalArgumentException: VERDICTS.refused,
    UnsupportedOperationException: VERDICTS.refused,
    ParentNotDirectoryException: VERDICTS.refused,
    PathIsNotDirectoryException: VERDICTS.refused,
    PathIsNotEmptyDirectoryException: VERDICTS.refused,
    MaxDirectoryItemsExceededException: VERDICTS.refused,
    PathComponentTooLongException: VERDICTS.refused,
    NotFoundException: VERDICTS.notWebHdfs,
  }),
);

function verdictOnException({ exception, message }: RemoteException, status: number): Verdict {
  // The NameNode wraps safe mode into a RetriableException for clients that it believes to be HA-aware.
  if (/safe ?mode/i.test(message) && /^(SafeMode|Retriable|Remote|IO)Exception$/.test(exception))
    return VERDICTS.safeMode;
  if (exception === 'LeaseExpiredException' && /does not exist/i.test(message)) return VERDICTS.notFound;
  const known = BY_EXCEPTION.get(exception);
  if (known !== undefined) return known;
  if (/no space left|out of space/i.test(message)) return VERDICTS.noSpace;
  // Every DataNode lives and none was given up on, and still none takes a block: they are full.
  if (/could only be written to \d+ of the \d+ minReplication nodes/i.test(message)) {
    const full = !/there are 0 datanode/i.test(message) && /no node\(s\) are excluded/i.test(message);
    return full ? VERDICTS.noSpace : VERDICTS.unavailable;
  }
  // WebHDFS reports every IOException that has no status of its own as 403.
  return status === 403 || status >= 500 ? VERDICTS.unavailable : VERDICTS.refused;
}

function verdictOnStatus(status: number): Verdict {
  if (status === 401 || status === 403 || status === 407) return VERDICTS.denied;
  if (status === 408 || status === 504) return VERDICTS.timeout;
  if (status === 507 || status === 413) return VERDICTS.noSpace;
  if (status === 429 || status >= 500) return VERDICTS.unavailable;
  // Anything else without a RemoteException is not WebHDFS speaking: never to be taken for "file not found".
  return VERDICTS.notWebHdfs;
}

/** The error for a reply that is not the expected one: by its RemoteException where it has one, else by its status. */
export function errorOfReply(attempt: Attempt, status: number, body: unknown): GridError {
  const remote = remoteExceptionIn(body);
  const verdict = remote ? verdictOnException(remote, status) : verdictOnStatus(status);
  const answer = remote
    ? `${remote.exception}: ${remote.message}`
    : `HTTP ${status}${typeof body === 'string' && body !== '' ? ` ${JSON.stringify(body.slice(0, 200))}` : ''}`;
  return new GridError(verdict.code, `${describe(attempt)} answered ${answer}. ${verdict.advice}`);
}

/** The error for a connection that could not be made or broke: `hdfs-unavailable`, or `hdfs-timeout` when the system says so. */
export function errorOfConnection(attempt: Attempt, cause: unknown): GridError {
  const code = systemCodeOf(cause);
  const detail = cause instanceof Error ? cause.message || code : String(cause);
  const advice =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'Its name cannot be resolved here: check WEBHDFS_URL, and dfs.datanode.hostname for a DataNode.'
      : code === 'ECONNREFUSED'
        ? 'Nothing listens there: is the server up?'
        : 'The connection broke; what was under way may or may not have happened.';
  return new GridError(
    code === 'ETIMEDOUT' || code === 'ESOCKETTIMEDOUT' ? 'hdfs-timeout' : 'hdfs-unavailable',
    `${describe(attempt)} failed: ${detail}. ${advice}`,
    { cause },
  );
}

/** The error for a server that did not answer, or a stream that stood still, for `waitedMs`. */
export function errorOfSilence(attempt: Attempt, waitedMs: number, what = 'no answer'): GridError {
  return new GridError(
    'hdfs-timeout',
    `${describe(attempt)}: ${what} within ${waitedMs} ms. The server hangs or the network drops packets; it may or may not have been done.`,
  );
}

/** The error for a reply of the right status whose body is not what WebHDFS sends, as when it was cut short. */
export function errorOfMangledReply(attempt: Attempt, body: unknown): GridError {
  const text = (typeof body === 'string' ? body : (JSON.stringify(body) as string | undefined)) ?? '';
  return new GridError(
    'hdfs-unavailable',
    `${describe(attempt)} answered with what is not a WebHDFS reply: ${JSON.stringify(text.slice(0, 200))}. The reply was cut short, or something else listens there.`,
  );
}

/** The error with which everything under way ends when the client is closed. */
export function errorOfClosing(attempt: Attempt): GridError {
  return new GridError('shutting-down', `${describe(attempt)}: given up, since the HDFS client was closed.`);
}

/**
 * True when an error of a connection means that the server cannot have received the request: even what must not be done
 * twice may then be tried again.
 */
export function wasNeverSent(cause: unknown): boolean {
  const code = systemCodeOf(cause);
  return (
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'EAI_AGAIN' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH' ||
    code === 'EADDRNOTAVAIL'
  );
}

/** True when a NameNode says that it did not even try: it is the standby, still starting, or asks to be called later. */
export function wasNotTried(body: unknown): boolean {
  const exception = remoteExceptionIn(body)?.exception;
  return exception === 'StandbyException' || exception === 'RetriableException';
}

function systemCodeOf(cause: unknown): string | undefined {
  if (cause instanceof AggregateError) {
    // A name with several addresses: Node reports what each came to.
    const codes = cause.errors.map((error: unknown) => systemCodeOf(error));
    return codes.every((code) => code === codes[0]) ? codes[0] : undefined;
  }
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

function describe(attempt: Attempt): string {
  return `${attempt.operation} ${attempt.path} at ${attempt.server}`;
}
