import { createHash } from 'node:crypto';
import type { ServerAddress } from './address.ts';

/** Addresses with credentials that are remembered; one process has one or two. */
const MOST = 100;

/** When logins last worked in this process, by address and credentials, of which only a digest is kept. */
const workedAtMs = new Map<string, number>();

function keyOf({ config }: ServerAddress): string {
  const { server, port, database, user, password, domain, options } = config;
  const parts = [server, port, options?.instanceName, database, user, password, domain, config.authentication];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** A login has worked just now. */
export function rememberLogin(address: ServerAddress): void {
  const key = keyOf(address);
  workedAtMs.delete(key);
  workedAtMs.set(key, performance.now());
  const [oldest] = workedAtMs.keys();
  if (workedAtMs.size > MOST && oldest !== undefined) workedAtMs.delete(oldest);
}

/** How long ago a login to this address with these credentials worked, ms; undefined when none has. */
export function loginWorkedMsAgo(address: ServerAddress): number | undefined {
  const at = workedAtMs.get(keyOf(address));
  return at === undefined ? undefined : performance.now() - at;
}
