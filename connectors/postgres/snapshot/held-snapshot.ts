import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { HeldSnapshot, SourceSnapshot } from '../../../grid/history/sql-source.ts';
import { PostgresSession, type PostgresSettings } from '../session/session.ts';
import { beginAtNewSnapshot } from './snapshot.ts';

/**
 * A snapshot that other connections read at for as long as this one's transaction lives. It holds no lock on any table, but
 * keeps vacuum from removing what the snapshot sees.
 */
export class HeldPostgresSnapshot implements HeldSnapshot {
  readonly snapshot: SourceSnapshot;
  readonly #connection: PostgresSession;
  readonly #limitMs: number;

  private constructor(snapshot: SourceSnapshot, connection: PostgresSession, limitMs: number) {
    this.snapshot = snapshot;
    this.#connection = connection;
    this.#limitMs = limitMs;
  }

  static async take(settings: PostgresSettings, signal: AbortSignal): Promise<HeldPostgresSnapshot> {
    const connection = await PostgresSession.open(settings, signal);
    try {
      const snapshot = await beginAtNewSnapshot(connection, true, { attempt: 'Taking a snapshot', signal });
      return new HeldPostgresSnapshot(snapshot, connection, settings.connectTimeoutMs);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const { id } = this.snapshot;
    const attempt = `Asking whether snapshot ${id} is still held`;
    try {
      await this.#connection.row(z.object({ held: z.literal('1') }), 'SELECT 1 AS held', {
        attempt,
        signal,
        limitMs: this.#limitMs,
      });
    } catch (error) {
      signal.throwIfAborted();
      const cause: unknown = error instanceof Error ? error.cause : undefined;
      const reason = cause instanceof Error ? cause.message : String(error);
      throw new GridError(
        'snapshot-lost',
        `${attempt} (${this.#connection.address}): ${reason.replace(/\.$/, '')}. Another one has to be taken.`,
        { cause: error },
      );
    }
  }

  async release(): Promise<void> {
    await this.#connection.close();
  }
}
