import { expect } from 'vitest';
import { pino } from 'pino';
import { SqlServerSource } from '../../connectors/sqlserver/source.ts';
import { GridError } from '../../grid/errors.ts';
import { TdsPeer, type PeerOptions } from './tds-peer.ts';

export const never = new AbortController().signal;

/** What a test has opened; closed by {@link closeAll}, newest first. */
const open: { close(): Promise<void> }[] = [];

export function closeLater(one: { close(): Promise<void> }): void {
  open.unshift(one);
}

export async function closeAll(): Promise<void> {
  for (const one of open.splice(0)) await one.close();
}

export async function peerWith(options: PeerOptions): Promise<TdsPeer> {
  const peer = await TdsPeer.start(options);
  closeLater(peer);
  return peer;
}

export function sourceAt(url: string, connectTimeoutMs = 2_000): SqlServerSource {
  return new SqlServerSource({ url, connectTimeoutMs, logger: pino({ level: 'silent' }) });
}

/** The error of ours that a promise rejects with; never one that shows the password. */
export async function failure(promise: Promise<unknown>): Promise<GridError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GridError);
  const own = error as GridError;
  expect(own.message).not.toContain('s3cret');
  return own;
}
