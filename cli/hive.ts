import { HiveClient } from '../connectors/hive/hive.ts';
import { GridError } from '../grid/errors.ts';
import { loadConfig } from '../runtime/config.ts';
import { createLogger } from '../runtime/logger.ts';

/** `npm run hive -- '<statement>'`: runs one Hive statement and prints its rows, fields separated by TAB, NULL as `\N`. */
async function main(statement: string): Promise<void> {
  if (statement === '') {
    throw new GridError(
      'invalid-input',
      `Asking Hive: there is no statement. Give one, such as npm run hive -- 'SHOW DATABASES'`,
    );
  }
  const config = loadConfig();
  const hive = new HiveClient({
    url: config.HIVE_URL,
    user: config.HDFS_USER,
    callTimeoutMs: config.HIVE_CALL_TIMEOUT_MS,
    logger: createLogger({ name: 'hive', level: 'silent', format: 'json' }),
  });
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort(new GridError('shutting-down', 'Asking Hive: stopped by Ctrl-C; the statement was cancelled.'));
  });
  // Whoever reads only the first rows (`| head`) has had enough.
  process.stdout.on('error', () => process.exit(0));
  try {
    for await (const row of hive.query(statement, { signal: stop.signal })) {
      const line = `${row.map((field) => field ?? '\\N').join('\t')}\n`;
      if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
  } finally {
    await hive.close();
  }
}

await main(
  process.argv
    .slice(2)
    .join(' ')
    .trim()
    .replace(/;+\s*$/, ''),
);
