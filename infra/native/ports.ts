import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { findOnPath, runCommand } from './command.ts';
import { PORT_NAMES, USUAL_PORTS, type Address, type PortName } from './settings.ts';

/** Whether somebody listens at an address. */
export function isListening({ host, port }: Address, timeoutMs = 2000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => {
      finish(true);
    });
    socket.once('timeout', () => {
      finish(false);
    });
    socket.once('error', () => {
      finish(false);
    });
  });
}

/** Whether a server of ours could listen on a port of the loopback: true also when only a wildcard socket is in the way. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Below it the kernel hands out no port for outgoing connections or for port 0; Linux tells where that begins. */
const FIRST_EPHEMERAL_PORT = Number(
  readLines('/proc/sys/net/ipv4/ip_local_port_range', 0)[0]?.split(/\s/)[0] ?? 32_768,
);
const FIRST_PORT = 11_000;
/** Hold what {@link freePort} gave to this process, by the UDP ports of the same numbers, which nothing of the stack uses. */
const holders: Socket[] = [];

/**
 * A port of the loopback that is free, and stays so until a server of this process's takes it, however late: nobody gets it by
 * chance, and no other process by this function, as long as this one lives.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, Math.max(FIRST_EPHEMERAL_PORT, FIRST_PORT + 1_000));
    if (USUAL_PORTS.has(port)) continue;
    const holder = await holdPort(port);
    if (holder === undefined) continue;
    if (await isPortFree(port)) {
      holders.push(holder);
      return port;
    }
    holder.close();
  }
}

/** A set of such ports, one for every port of the stack. */
export async function freePorts(): Promise<Record<PortName, number>> {
  const ports: Partial<Record<PortName, number>> = {};
  for (const name of PORT_NAMES) ports[name] = await freePort();
  return ports as Record<PortName, number>;
}

function holdPort(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      resolve(undefined);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      resolve(socket.unref());
    });
  });
}

/** `process 123 (java)` that listens on a port, as far as this user may know it. */
export async function describeListener(port: number): Promise<string> {
  const pid = process.platform === 'linux' ? listenerFromProc(port) : await listenerFromLsof(port);
  if (pid === undefined) return 'another program';
  return `process ${pid}${await programOf(pid)}`;
}

async function programOf(pid: number): Promise<string> {
  const { stdout } = await runCommand('ps', ['-o', 'comm=', '-p', String(pid)]);
  return stdout.trim() === '' ? '' : ` (${stdout.trim()})`;
}

/** The kernel's socket tables name an inode; the process is the one that holds it. */
function listenerFromProc(port: number): number | undefined {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table)) {
      const fields = line.trim().split(/\s+/);
      const listens = fields[3] === '0A';
      if (listens && parseInt(fields[1]?.split(':')[1] ?? '', 16) === port && fields[9] !== undefined) {
        inodes.add(`socket:[${fields[9]}]`);
      }
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of readDirectory('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of readDirectory(`/proc/${pid}/fd`)) {
      try {
        if (inodes.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`))) return Number(pid);
      } catch {
        // Closed meanwhile.
      }
    }
  }
  return undefined;
}

async function listenerFromLsof(port: number): Promise<number | undefined> {
  const lsof = findOnPath('lsof');
  if (lsof === undefined) return undefined;
  const { stdout } = await runCommand(lsof, ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN']);
  const pid = Number(stdout.trim().split('\n')[0]);
  return pid > 0 ? pid : undefined;
}

/** Lines of a file behind so many; none where it cannot be read. */
function readLines(path: string, skipped = 1): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(skipped);
  } catch {
    return [];
  }
}

function readDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
