import { join } from 'node:path';
import { withLockFile } from '../launch/lock-file.mjs';
import type { Progress } from './server.ts';
import type { ServerName, StackSettings } from './settings.ts';

/** Two commands at once on one server of one stack: the second waits for the first. */
export function exclusively<T>(
  settings: StackSettings,
  name: ServerName,
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  return withLockFile(join(settings.home, 'run', `${name}.lock`), work, (pid) => {
    progress(`waiting for process ${pid}, which is busy with it`);
  });
}
