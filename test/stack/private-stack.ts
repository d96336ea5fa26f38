import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../infra/native/ports.ts';
import {
  environmentOf,
  settingsFromConfig,
  settingsOf,
  type PortName,
  type StackSettings,
} from '../../infra/native/settings.ts';
import { takeDown } from '../../infra/native/stack.ts';

/** A stack of a test's own: other ports and data, the same installations. */
export interface PrivateStack {
  readonly stackHome: string;
  readonly installHome: string;
  readonly ports: Record<PortName, number>;
}

export async function makePrivateStack(): Promise<PrivateStack> {
  return {
    stackHome: await mkdtemp(join(tmpdir(), 'powergrid-stack-')),
    installHome: settingsFromConfig().installHome,
    ports: await freePorts(),
  };
}

export function settingsOfPrivate(stack: PrivateStack): StackSettings {
  return settingsOf(stack);
}

export async function removePrivateStack(stack: PrivateStack): Promise<void> {
  await takeDown(undefined, stack);
  await rm(stack.stackHome, { recursive: true, force: true });
}

export interface CommandOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `npm run stack -- <args>` for a private stack, as a user would. */
export function runStackCommand(stack: PrivateStack, args: readonly string[]): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['infra/launch/run.mjs', 'infra/native/cli.ts', ...args], {
      env: { ...process.env, ...environmentOf(stack), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}
