import type { HiveClient } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';

/** A statement that is wrong is refused so often. */
const MOST_TRIES = 3;

/**
 * Runs a statement that may be run again, more than once where Hive refuses it: where tasks run in the server's own process, those of statements that
 * run at once share what they know of their files, and one that finds it gone fails (`"fpath" is null`), which Hive tells as it tells damaged files.
 */
export async function executeRepeatable(hive: HiveClient, sql: string, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await hive.execute(sql, { signal });
      return;
    } catch (error) {
      const isRefused = error instanceof GridError && error.code === 'hive-refused';
      if (!isRefused || tries === MOST_TRIES) throw error;
    }
  }
}
