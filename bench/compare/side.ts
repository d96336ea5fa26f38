/** One run of a side that is a Node process, from its start to its report. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SideResult } from './result.ts';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @param file relative to the project's root; its process gets `run` as JSON in its first argument.
 * @throws Error when it fails, or carried another number of records than `run` asks for
 */
export async function runSide(
  file: string,
  nodeFlags: readonly string[],
  run: { readonly records: number },
  signal: AbortSignal,
): Promise<SideResult> {
  const child = spawn(process.execPath, [...nodeFlags, '--import', 'tsx', file, JSON.stringify(run)], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-10_000);
  });
  await once(child, 'close');
  const last = output.trim().split('\n').at(-1) ?? '';
  if (child.exitCode !== 0) throw new Error(`${file} ended with code ${child.exitCode ?? 'none'}: ${last}`);
  const result = JSON.parse(last) as SideResult;
  if (result.records !== run.records) throw new Error(`${file} wrote ${result.records} of ${run.records} records`);
  return result;
}
