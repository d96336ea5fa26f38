import { setTimeout as sleep } from 'node:timers/promises';
import { GridError } from '../../grid/errors.ts';
import { exclusively } from './exclusively.ts';
import { explainDiskError } from './install/installation.ts';
import { readTail } from './logs.ts';
import { describeListener, isPortFree } from './ports.ts';
import { isLive, logPath, readLiveRecord, readRecord, startProcess, type ProcessRecord } from './processes.ts';
import type { Installation, Probe, ProcessSpec, Progress, Server } from './server.ts';
import { isLoopback, isThisMachine, type ServerName, type StackSettings } from './settings.ts';

/** How a server came to be up. */
export type Outcome = 'started' | 'mended' | 'running' | 'external';

export interface BroughtUp {
  readonly name: ServerName;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** What it was started from; absent for external servers. */
  readonly from?: string;
  readonly version?: string;
}

const POLL_MS = 100;
/** How long a server that has been up for long may take to answer before it is called broken. */
const SETTLE_MS = 30_000;

/**
 * Brings one server up and waits until it answers: uses what the configuration names if that is somebody else's, leaves alone
 * what runs, starts what is missing. `needs` settles when the servers that it stands on are up.
 *
 * @throws GridError
 */
export async function bringUpServer(
  settings: StackSettings,
  server: Server,
  needs: Promise<unknown>,
  progress: Progress,
): Promise<BroughtUp> {
  const startedAt = Date.now();
  const seconds = (): number => (Date.now() - startedAt) / 1000;
  const done = (outcome: Outcome, record?: ProcessRecord): BroughtUp => ({
    name: server.name,
    outcome,
    seconds: seconds(),
    ...(record === undefined ? {} : { from: record.from, version: record.version }),
  });
  try {
    return await exclusively(settings, server.name, progress, async () => {
      if (!isServedHere(settings, server)) {
        await isExternal(settings, server);
        return done('external');
      }
      let live = liveRecords(settings, server);
      requireSamePorts(settings, server, live);
      if (live.length === server.processNames.length) {
        let probe = await settle(settings, server, live);
        if (probe.kind !== 'ready' && live.every(isLive)) {
          // What it stands on may only be coming up, and it cannot answer before.
          await needs.catch(() => undefined);
          probe = await settle(settings, server, live);
        }
        if (probe.kind === 'ready') {
          const installation = await server.install(settings, progress);
          await server.finish?.(settings, installation);
          return done('running', live[0]);
        }
        live = liveRecords(settings, server);
        if (live.length === server.processNames.length) throw notAnswering(server, live, probe.reason);
      }
      if (live.length === 0 && (await isExternal(settings, server))) return done('external');
      const crashed = server.processNames.some((name) => readRecord(settings, name) !== undefined);
      const installation = await server.install(settings, progress);
      await needs;
      progress('starting');
      if (live.length === 0) await server.prepare(settings, installation, progress);
      const started = await startUntilReady(settings, server, installation, live, progress);
      await server.finish?.(settings, installation);
      return done(crashed ? 'mended' : 'started', started[0]);
    });
  } catch (error) {
    throw explainDiskError(error, settings.home);
  }
}

/** Starts those processes that are not among `live` and waits for the server; starts once more what may need a second try. */
async function startUntilReady(
  settings: StackSettings,
  server: Server,
  installation: Installation,
  live: readonly ProcessRecord[],
  progress: Progress,
): Promise<ProcessRecord[]> {
  const tryUntil = Date.now() + (server.restartWindowMs ?? 0);
  const specs = await server.processes(settings, installation);
  for (;;) {
    const records = [...live];
    for (const spec of specs) {
      if (live.some(({ name }) => name === spec.name)) continue;
      await requireFreePorts(settings, server, spec);
      records.push(startProcess(settings, spec, installation));
    }
    try {
      const probe = await untilReady(settings, server, records, server.readyTimeoutMs, progress);
      if (probe.kind === 'ready') return records;
      throw new GridError(
        'server-start-failed',
        `Starting ${server.title}: not ready after ${Math.round(server.readyTimeoutMs / 1000)} s: ${probe.reason}. See \`npm run stack -- logs ${server.name}\`.`,
      );
    } catch (error) {
      if (records.every(isLive) || Date.now() > tryUntil) throw error;
      await sleep(500);
    }
  }
}

function liveRecords(settings: StackSettings, server: Server): ProcessRecord[] {
  return server.processNames.flatMap((name) => readLiveRecord(settings, name) ?? []);
}

/** How much of the time that a server may take to start is left to the youngest of its processes. */
export function startingForMs(server: Server, live: readonly ProcessRecord[]): number {
  const youngestAt = Math.max(...live.map(({ startedAt }) => Date.parse(startedAt)));
  return youngestAt + server.readyTimeoutMs - Date.now();
}

/** Waits for a server that runs; one that was just killed may end meanwhile, which is no error: it will be mended. */
async function settle(settings: StackSettings, server: Server, live: readonly ProcessRecord[]): Promise<Probe> {
  try {
    return await untilReady(settings, server, live, Math.max(SETTLE_MS, startingForMs(server, live)));
  } catch (error) {
    if (live.every(isLive)) throw error;
    return { kind: 'not-ready', reason: 'a process of it ended' };
  }
}

function notAnswering(server: Server, live: readonly ProcessRecord[], reason: string): GridError {
  return new GridError(
    'server-start-failed',
    `${server.title} runs (process ${live.map(({ pid }) => pid).join(', ')}) but does not answer: ${reason}. Try \`npm run stack -- down ${server.name}\`, then up, and see \`npm run stack -- logs ${server.name}\`.`,
  );
}

/** Whether the configuration names the one address on the loopback at which a server of ours would listen. */
function isServedHere(settings: StackSettings, server: Server): boolean {
  const addresses = server.addresses(settings);
  return addresses.length === 1 && addresses.every(({ host }) => isLoopback(host));
}

/**
 * Whether the configured address is served by somebody else.
 *
 * @throws GridError when it is not on this machine and does not answer, or when something of another kind sits there
 */
async function isExternal(settings: StackSettings, server: Server): Promise<boolean> {
  const addresses = server.addresses(settings);
  const probe = await server.probe(settings);
  if (probe.kind === 'ready') return true;
  const names = addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
  if (addresses.some(({ host }) => !isThisMachine(host)) || addresses.length > 1) {
    throw new GridError(
      'server-start-failed',
      `${server.title} at ${names} is configured, but it is not ready: ${probe.reason}. Bring it up where it runs, or remove the address from the configuration to have it started here.`,
    );
  }
  if (addresses.some(({ host }) => !isLoopback(host))) {
    throw new GridError(
      'invalid-configuration',
      `${server.title} is configured at ${names} and nobody answers there. Native servers listen on the loopback only: use localhost in the address to have it started here.`,
    );
  }
  if (probe.kind === 'silent') return false;
  const port = addresses[0]?.port ?? 0;
  throw new GridError(
    'address-in-use',
    `Starting ${server.title}: port ${port} is taken by ${await describeListener(port)}, which does not answer as one (${probe.reason}). Stop it, or configure another port.`,
  );
}

async function requireFreePorts(settings: StackSettings, server: Server, spec: ProcessSpec): Promise<void> {
  for (const name of spec.ports) {
    const port = settings.ports[name];
    if (await isPortFree(port)) continue;
    throw new GridError(
      'address-in-use',
      `Starting ${server.title}: port ${port} (${name}) is taken by ${await describeListener(port)}. Stop it, or configure another port (see example.env).`,
    );
  }
}

function requireSamePorts(settings: StackSettings, server: Server, live: readonly ProcessRecord[]): void {
  for (const { ports } of live) {
    for (const [name, port] of Object.entries(ports)) {
      const wanted = settings.ports[name as keyof typeof settings.ports];
      if (port === wanted) continue;
      throw new GridError(
        'invalid-configuration',
        `${server.title} was started on port ${port} (${name}), but the configuration now says ${wanted}. Run \`npm run stack -- down ${server.name}\` first.`,
      );
    }
  }
}

/** Asks again and again until the server is ready, time is up, or one of its processes ends. */
async function untilReady(
  settings: StackSettings,
  server: Server,
  records: readonly ProcessRecord[],
  timeoutMs: number,
  progress?: Progress,
): Promise<Probe> {
  const startedAt = Date.now();
  for (;;) {
    const probe = await server.probe(settings);
    // An answer counts only while our own processes live: else it is somebody else's.
    const dead = records.find((record) => !isLive(record));
    if (dead !== undefined) throw explainDeath(settings, server, dead);
    const elapsedMs = Date.now() - startedAt;
    if (probe.kind === 'ready' || elapsedMs > timeoutMs) return probe;
    progress?.(`starting, ${Math.round(elapsedMs / 1000)} s`);
    await sleep(POLL_MS);
  }
}

function explainDeath(settings: StackSettings, server: Server, record: ProcessRecord): GridError {
  const tail = readTail(logPath(settings, record.name), 12);
  const hint = /No space left on device/.test(tail) ? ' The disk is full: make room and try again.' : '';
  return new GridError(
    'server-start-failed',
    `Starting ${server.title}: its process ${record.name} ended.${hint} The end of ${logPath(settings, record.name)}:\n${tail}`,
  );
}
