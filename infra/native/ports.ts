import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { findOnPath, runCommand } from './command.ts';
import { PORT_NAMES, type Address, type PortName } from './settings.ts';

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

/** A set of ports that are free now, one for every port of the stack. */
export async function freePorts(): Promise<Record<PortName, number>> {
  // All are held at once, so that no two get the same.
  const servers = await Promise.all(
    PORT_NAMES.map(
      (name) =>
        new Promise<[PortName, ReturnType<typeof createServer>]>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen({ port: 0, host: '127.0.0.1' }, () => {
            resolve([name, server]);
          });
        }),
    ),
  );
  const ports = servers.map(([name, server]): [PortName, number] => {
    const address = server.address();
    return [name, address !== null && typeof address === 'object' ? address.port : 0];
  });
  await Promise.all(
    servers.map(
      ([, server]) =>
        new Promise((resolve) => {
          server.close(resolve);
        }),
    ),
  );
  return Object.fromEntries(ports) as Record<PortName, number>;
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

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
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
