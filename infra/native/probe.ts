import { isListening } from './ports.ts';
import type { Probe } from './server.ts';
import type { Address } from './settings.ts';

/** `silent` when nobody listens at any of the addresses. */
export async function probeSilence(addresses: readonly Address[]): Promise<Probe | undefined> {
  const listening = await Promise.all(addresses.map((address) => isListening(address)));
  if (listening.includes(true)) return undefined;
  const names = addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
  return { kind: 'silent', reason: `nobody listens at ${names}` };
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message.split('\n')[0] ?? ''}${cause}`;
}
