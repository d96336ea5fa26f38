import { join } from 'node:path';
import { Client } from 'pg';
import { PostgresSource, type PostgresSourceOptions } from '../../connectors/postgres/source.ts';
import { createLogger } from '../../runtime/logger.ts';
import { dataDirectory } from '../../infra/native/servers/files.ts';
import {
  makePrivateStack,
  removePrivateStack,
  runStackCommand,
  settingsOfPrivate,
  type PrivateStack,
} from '../stack/private-stack.ts';
import { rowsOf } from './source-bed.ts';

/** A PostgreSQL of a test's own, which may be set up otherwise, killed and restarted. */
export interface PrivateServer {
  readonly dataDirectory: string;
  /** For the superuser. */
  readonly url: URL;
  sql(text: string): Promise<(string | null)[][]>;
  sourceWith(changes: (url: URL) => void, options?: Partial<PostgresSourceOptions>): PostgresSource;
  stop(): Promise<void>;
  start(): Promise<void>;
  end(): Promise<void>;
}

export async function startPrivateServer(): Promise<PrivateServer> {
  const stack: PrivateStack = await makePrivateStack();
  const url = new URL(`postgresql://powergrid@127.0.0.1:${stack.ports.postgres}/postgres`);
  const run = async (...args: string[]): Promise<void> => {
    const { code, stderr, stdout } = await runStackCommand(stack, [...args, 'postgres']);
    if (code !== 0) throw new Error(`stack ${args.join(' ')}: ${stdout} ${stderr}`);
  };
  await run('up');
  const sources: PostgresSource[] = [];
  return {
    dataDirectory: join(dataDirectory(settingsOfPrivate(stack), 'postgres'), 'cluster'),
    url,
    async sql(text) {
      const client = new Client({ connectionString: url.toString() });
      client.on('error', () => undefined);
      await client.connect();
      try {
        return await rowsOf(client, text);
      } finally {
        await client.end();
      }
    },
    sourceWith(change, options = {}) {
      const changed = new URL(url);
      change(changed);
      const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
      const source = new PostgresSource({ url: changed.toString(), connectTimeoutMs: 5_000, logger, ...options });
      sources.push(source);
      return source;
    },
    stop: () => run('down'),
    start: () => run('up'),
    async end() {
      await Promise.all(sources.map((source) => source.close()));
      await removePrivateStack(stack);
    },
  };
}
