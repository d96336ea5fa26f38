import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIRECTORY } from '../../../native/settings.ts';

/** The Node flags of a worker's npm script (`worker:<name>`), so that it runs alike wherever it is started from. */
export function nodeFlagsOf(name: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_DIRECTORY, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return (scripts[`worker:${name}`] ?? '').split(' ').filter((word) => word.startsWith('--'));
}
