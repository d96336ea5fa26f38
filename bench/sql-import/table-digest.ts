import { createHash } from 'node:crypto';
import { closing } from '../../activities/import/closing.ts';
import { sourcesFromConfig } from '../../activities/import/open/open-source.ts';
import type { SourceName, TableId } from '../../grid/history/sql-source.ts';
import type { Config } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';

/** The digest that an import of the whole table has to have, computed by the database: SHA-256 over those of the splits, in order. */
export async function tableDigest(
  config: Config,
  sourceName: SourceName,
  table: TableId,
  signal: AbortSignal,
): Promise<string> {
  const logger = createLogger({ name: 'bench', level: 'error', format: 'json' });
  const open = await sourcesFromConfig(config, logger);
  const source = open(sourceName);
  try {
    const reader = await source.read(undefined, signal);
    return await closing(reader, async () => {
      const plan = await reader.plan(table, { splitRows: config.HISTORY_SPLIT_ROWS, onUnsupported: 'refuse' }, signal);
      const digest = createHash('sha256');
      for (const split of plan.splits.keys()) digest.update((await reader.digest(plan, split, signal)).digest);
      return digest.digest('hex');
    });
  } finally {
    await source.close();
  }
}
