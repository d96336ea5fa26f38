/**
 * Apache Flume as a peer of the HDFS sink: an agent with a durable file channel, in the configuration that was the fastest
 * on two cores (two sources, channels and sinks, a heap of 2 GB, the parallel collector).
 *
 * Measured from the first event that its sources accepted to the last one that its sinks have written and flushed, by its own
 * counters; closing and renaming the files is not counted against it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, peakResidentMiB } from '../../compare/process-usage.ts';
import type { SideResult } from '../../compare/result.ts';
import type { SideRun } from '../../hdfs-sink/compare/run.ts';
import { nameNodeRpcUrl } from '../hadoop.ts';
import { classPath, installPeer } from '../maven.ts';
import { writeAgentFiles } from './agent.ts';

const POLL_MS = 50;
const START_TIMEOUT_MS = 120_000;
const STALL_TIMEOUT_MS = 60_000;

const JVM_FLAGS = [
  '-Xmx2g',
  '-XX:+UseParallelGC',
  '-Djava.net.preferIPv4Stack=true',
  ...['lang', 'lang.reflect', 'io', 'net', 'nio', 'util', 'util.concurrent'].map(
    (name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`,
  ),
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
];

/** Where Flume's jars and working files lie. */
export interface Flume {
  readonly home: string;
}

/** Fetches Flume and the Hadoop client, once. */
export async function installFlume(stackHome: string, signal: AbortSignal): Promise<Flume> {
  return { home: await installPeer('flume', stackHome, signal) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Counts {
  readonly accepted: number;
  readonly drained: number;
}

/** What the agent counted; undefined while its metrics do not answer yet. */
async function fetchCounts(port: number): Promise<Counts | undefined> {
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`).then(
    async (reply) => (await reply.json()) as Record<string, Record<string, string>>,
    () => undefined,
  );
  if (metrics === undefined) return undefined;
  const sum = (component: string, counter: string) =>
    Object.entries(metrics)
      .filter(([name]) => name.startsWith(component))
      .reduce((total, [, counters]) => total + Number(counters[counter] ?? 0), 0);
  return { accepted: sum('SOURCE.', 'EventAcceptedCount'), drained: sum('SINK.', 'EventDrainSuccessCount') };
}

/** From the first event accepted to the last one drained. */
async function measure(child: ChildProcess, port: number, records: number, signal: AbortSignal): Promise<SideResult> {
  const pid = child.pid ?? 0;
  let deadlineMs = performance.now() + START_TIMEOUT_MS;
  let started: { atMs: number; cpuSeconds: number } | undefined;
  let drained = 0;
  // The clock starts at the last poll that saw no event yet, so up to one interval too early.
  let idle = { atMs: performance.now(), cpuSeconds: 0 };
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Flume ended with code ${child.exitCode}`);
    if (performance.now() > deadlineMs) throw new Error(`Flume stands still at ${drained} of ${records} records`);
    const now = { atMs: performance.now(), cpuSeconds: cpuSeconds(pid) };
    const counts = await fetchCounts(port);
    if (counts !== undefined && counts.accepted > 0) started ??= idle;
    else idle = now;
    if (counts !== undefined && counts.drained > drained) {
      drained = counts.drained;
      deadlineMs = performance.now() + STALL_TIMEOUT_MS;
    }
    if (started !== undefined && drained >= records) {
      const seconds = (performance.now() - started.atMs) / 1_000;
      return {
        records: drained,
        seconds,
        recordsPerSecond: Math.round(drained / seconds),
        cpuSecondsPerMillion: (cpuSeconds(pid) - started.cpuSeconds) / (drained / 1e6),
        peakResidentMiB: Math.round(peakResidentMiB(pid)),
      };
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

/**
 * One run of a fresh agent. The channel's files are removed afterwards.
 *
 * @throws Error when it ends by itself, or nothing moves for a minute.
 */
export async function runFlume(flume: Flume, run: SideRun, signal: AbortSignal): Promise<SideResult> {
  const conf = join(flume.home, 'conf');
  const state = join(flume.home, 'state');
  await rm(state, { recursive: true, force: true });
  await writeAgentFiles(conf, state, run, await nameNodeRpcUrl(run.webHdfsUrl));
  const port = await freePort();
  const child = spawn(
    'java',
    [
      ...JVM_FLAGS,
      '-Dflume.monitoring.type=http',
      `-Dflume.monitoring.port=${port}`,
      ...['-cp', await classPath(flume.home, [conf]), 'org.apache.flume.node.Application'],
      ...['--no-reload-conf', '-n', 'agent', '-f', join(conf, 'agent.properties')],
    ],
    { cwd: flume.home, env: { ...process.env, HADOOP_USER_NAME: 'powergrid' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  const keep = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'close');
  try {
    return await measure(child, port, run.records, signal);
  } catch (error) {
    throw new Error(`Flume failed; the end of its log:\n${log}`, { cause: error });
  } finally {
    // On SIGTERM it closes and renames its files.
    child.kill('SIGTERM');
    await Promise.race([ended, delay(30_000)]);
    child.kill('SIGKILL');
    await ended;
    await rm(state, { recursive: true, force: true });
  }
}
