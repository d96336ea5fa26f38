import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { sqlState } from './failure.ts';
import type { PostgresSession } from './session.ts';
import type { Vitality } from './silence-watch.ts';

/** A session that has been silent for long. */
interface SilentSession {
  /** Opens another one to the same server. */
  readonly logIn: (signal: AbortSignal) => Promise<Pick<PostgresSession, 'rows' | 'close'>>;
  /** Longest wait for a connection and for an answer, ms. */
  readonly limitMs: number;
  /** The process that serves the session; unknown between transactions of a pooler. */
  readonly processId: number | undefined;
  readonly isPooled: boolean;
}

const SESSION_STATE = z.object({ state: z.string().nullable(), wait_event: z.string().nullable() });

/** Asks by another connection what a silent session is doing. */
export async function vitalityOf({ logIn, limitMs, processId, isPooled }: SilentSession): Promise<Vitality> {
  const signal = AbortSignal.timeout(2 * limitMs);
  let other: Awaited<ReturnType<SilentSession['logIn']>> | undefined;
  try {
    other = await logIn(signal);
    // Between two transactions a pooler has lent no session that could be asked about.
    if (processId === undefined) return { kind: 'working' };
    const [state] = await other.rows(
      SESSION_STATE,
      'SELECT state, wait_event FROM pg_catalog.pg_stat_activity WHERE pid = $1',
      { attempt: 'Asking what a silent session is doing', signal, limitMs },
      [processId],
    );
    if (state === undefined) return { kind: 'dead', reason: 'the server knows nothing of the session any more' };
    // Idle: its answer is lost. ClientWrite: what it sends does not arrive.
    if (state.state !== 'active' || state.wait_event === 'ClientWrite') {
      return { kind: 'dead', reason: 'what the server sends does not arrive' };
    }
    return { kind: 'working' };
  } catch (error) {
    // A server that has no connection left for the question has answered.
    if (error instanceof GridError && sqlState(error.cause) !== undefined) return { kind: 'working' };
    // So has a pooler whose sessions are all lent out; it cuts us off itself when their server is gone.
    if (isPooled && other !== undefined) return { kind: 'working' };
    return { kind: 'dead', reason: `it is silent, and answers nobody else either (${reasonOf(error)})` };
  } finally {
    await other?.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
