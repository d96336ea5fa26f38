import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeListener } from './ports.ts';
import { readRecord, isLive, residentBytes } from './processes.ts';
import { serverOf } from './servers/registry.ts';
import { dataDirectory } from './servers/files.ts';
import { startingForMs } from './bring-up-server.ts';
import type { ServerName, StackSettings } from './settings.ts';

/**
 * `running` – ours, all its processes live, and it answers; `starting` – it does not answer yet; `stopped` – nobody there; `external` – answers, but was not started
 * by this stack; `broken` – a process of ours is gone or does not answer: `up` mends it.
 */
export type ServerState = 'running' | 'starting' | 'stopped' | 'external' | 'broken';

export interface ServerStatus {
  readonly name: ServerName;
  readonly state: ServerState;
  readonly pids: readonly number[];
  /** Where it is, as the configuration names it. */
  readonly address: string;
  readonly residentBytes: number;
  readonly version: string;
  readonly from: string;
  readonly dataBytes: number;
  /** What is wrong or noteworthy; empty otherwise. */
  readonly note: string;
}

/** Looks at one server without changing anything. */
export async function statusOf(settings: StackSettings, name: ServerName): Promise<ServerStatus> {
  const server = serverOf(name);
  const records = server.processNames.flatMap((processName) => readRecord(settings, processName) ?? []);
  const live = records.filter(isLive);
  const [probe, dataBytes] = await Promise.all([server.probe(settings), sizeOfTree(dataDirectory(settings, name))]);
  const addresses = server.addresses(settings);
  const missing = server.processNames.filter((processName) => !live.some((record) => record.name === processName));
  let state: ServerState;
  let note = '';
  if (live.length > 0 && missing.length === 0 && probe.kind === 'ready') {
    state = 'running';
  } else if (live.length > 0 && missing.length === 0 && startingForMs(server, live) > 0) {
    state = 'starting';
    note = probe.kind === 'ready' ? '' : probe.reason;
  } else if (live.length > 0 || (records.length > 0 && probe.kind !== 'ready')) {
    state = 'broken';
    note =
      missing.length > 0 ? `${missing.join(', ')} ended; \`up\` mends it` : probe.kind === 'ready' ? '' : probe.reason;
  } else if (probe.kind === 'ready') {
    state = 'external';
  } else {
    state = 'stopped';
    if (probe.kind === 'not-ready') {
      const port = addresses[0]?.port ?? 0;
      note = `port ${port} is taken by ${await describeListener(port)}`;
    }
  }
  return {
    name,
    state,
    pids: live.map(({ pid }) => pid),
    address: addresses.map(({ host, port }) => `${host}:${port}`).join(','),
    residentBytes: live.reduce((total, { pid }) => total + (residentBytes(pid) ?? 0), 0),
    version: live[0]?.version ?? '',
    from: live[0]?.from ?? '',
    dataBytes,
    note,
  };
}

/** What a directory takes on disk; what cannot be read counts nothing. */
async function sizeOfTree(directory: string): Promise<number> {
  let total = 0;
  try {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      // Allocated blocks, not length: Kafka's indexes are mostly holes.
      total += entry.isDirectory() ? await sizeOfTree(path) : (await lstat(path)).blocks * 512;
    }
  } catch {
    // Removed meanwhile, or not ours to read.
  }
  return total;
}
