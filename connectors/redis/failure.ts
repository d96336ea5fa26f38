import { GridError } from '../../grid/errors.ts';

/** Replies by which Redis says: not now. */
const TRANSIENT = ['LOADING', 'BUSY', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'NOREPLICAS', 'UNKILLABLE'];

/** What to do about a reply that stays the same until somebody changes something. */
const REMEDIES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    OOM: 'Redis has used up its maxmemory: raise it or free memory.',
    MISCONF: 'Redis cannot write to its disk: see its log, then free or mend the disk.',
    READONLY: 'This Redis is a replica: let REDIS_URL name the primary.',
    NOAUTH: 'Redis asks for a password: put it into REDIS_URL.',
    WRONGPASS: 'Redis does not know this user name and password: correct REDIS_URL.',
    NOPERM:
      'The Redis user lacks rights: it needs EVAL, EVALSHA, GET, MGET, SET, MSET, HGET, HSET and INFO on every key.',
    CROSSSLOT: 'This is a Redis Cluster: let REDIS_URL name a single primary (a replicated one if need be).',
    MOVED: 'This is a Redis Cluster: let REDIS_URL name a single primary (a replicated one if need be).',
  }),
);

/**
 * What a driver error means: `redis-refused` when Redis answered and the answer will stay the same until somebody changes
 * something, else `redis-unavailable` (down, loading, too slow).
 *
 * @param attempt what was being done, on what; it begins the message.
 * @param connectionProblem the newest error of the connection itself: when commands fail only because there is none, it is
 *   the reason (a wrong password, for example).
 */
export function redisFailure(error: unknown, attempt: string, connectionProblem?: Error): GridError {
  if (error instanceof GridError) return error;
  const own = error instanceof Error ? error : new Error(String(error));
  const cause = !isReply(own) && connectionProblem !== undefined ? connectionProblem : own;
  const word = replyWord(cause);
  if (word !== undefined && !TRANSIENT.includes(word) && !/max number of clients/.test(cause.message)) {
    const remedy = REMEDIES.get(word) ?? 'Look the reply up and correct the cause.';
    return new GridError('redis-refused', `${attempt}: Redis answered "${brief(cause.message)}". ${remedy}`, {
      cause: slim(cause),
    });
  }
  return new GridError('redis-unavailable', `${attempt}: ${brief(cause.message)}. It is tried again.`, {
    cause: slim(cause),
  });
}

function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

/**
 * The error word of a reply, such as `OOM`; undefined when the error is no reply. Inside a script Redis 6 wraps it:
 * `ERR Error running script …: -OOM command not allowed …`; a failed ready check wraps it in the driver's words.
 */
function replyWord(error: Error): string | undefined {
  const known = [...TRANSIENT, ...REMEDIES.keys()].find((word) =>
    new RegExp(`(?:^|[\\s:-])${word}\\b`).test(error.message),
  );
  if (known !== undefined) return known;
  return isReply(error) ? (/^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR') : undefined;
}

/** A driver error without the command that hangs on it: a batch's holds all its envelopes, too much for a log. */
function slim({ name, message, stack }: Error): Error {
  return Object.assign(new Error(message), { name, stack });
}

function brief(message: string): string {
  return message.length > 300 ? `${message.slice(0, 300)}…` : message.replace(/\.$/, '');
}
