import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIRECTORY } from '../native/settings.ts';

/** How an npm script runs Node, so that it runs alike wherever it is started from. */
export interface NpmScript {
  /** What it sets for its process alone. */
  readonly environment: Readonly<Record<string, string>>;
  /** Node's own. */
  readonly flags: readonly string[];
  /** The script that Node runs, and its arguments. */
  readonly args: readonly string[];
}

/** @throws Error when there is no such script, or it is not `exec [env NAME=value …] node [flags] <script> …` */
export function npmScript(name: string): NpmScript {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_DIRECTORY, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const words = scripts[name]?.split(' ') ?? [];
  const node = words.indexOf('node');
  if (words[0] !== 'exec' || node < 1) throw new Error(`the npm script ${name} does not run Node`);
  const settings = words.slice(1, node).filter((word) => word.includes('='));
  const rest = words.slice(node + 1);
  const script = rest.findIndex((word) => !word.startsWith('--'));
  return {
    environment: Object.fromEntries(settings.map((setting) => setting.split('=', 2))) as Record<string, string>,
    flags: rest.slice(0, script),
    args: rest.slice(script),
  };
}
