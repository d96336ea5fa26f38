import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { runCommand } from '../command.ts';
import { installOnce, setUpFailure } from '../install/installation.ts';
import { lockMark, readMavenLock } from '../install/lock.ts';
import { installJars, jarFileName } from '../install/maven.ts';
import { unzip } from '../install/zip.ts';
import { jvmFlags, requireJava } from '../java.ts';
import { probeSilence, reasonOf } from '../probe.ts';
import type { Installation, ProcessSpec, Progress, Server } from '../server.ts';
import { parseAddress, type StackSettings } from '../settings.ts';
import {
  dataDirectory,
  hadoopXml,
  properties,
  temporaryDirectory,
  writeClassPath,
  writeConfiguration,
} from './files.ts';

const NAMENODE_HEAP_MEGABYTES = 128;
const DATANODE_HEAP_MEGABYTES = 128;

/** HDFS: one NameNode, one DataNode, WebHDFS on both. */
export const hdfs: Server = {
  name: 'hdfs',
  title: 'HDFS NameNode and DataNode',
  needs: [],
  processNames: ['namenode', 'datanode'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 15_000,
  readyTimeoutMs: 120_000,

  addresses: ({ config }) => config.WEBHDFS_URL.map((text) => parseAddress(text)),

  async probe(settings) {
    const silence = await probeSilence(hdfs.addresses(settings));
    if (silence !== undefined) return silence;
    const problems: string[] = [];
    for (const url of settings.config.WEBHDFS_URL) {
      const problem = await problemOfNameNode(url);
      if (problem === undefined) return { kind: 'ready' };
      problems.push(problem);
    }
    return { kind: 'not-ready', reason: problems.join('; ') };
  },

  async install(settings, progress) {
    await requireJava();
    const onMachine = findOnMachine();
    if (onMachine !== undefined) return onMachine;
    const directory = await installOnce(settings, 'hdfs', lockMark('hdfs'), (unfinished) =>
      build(settings, unfinished, progress),
    );
    const core = readMavenLock('hdfs').jars.find(({ coordinates }) => coordinates.includes(':hadoop-common:'));
    return { version: core?.coordinates.split(':')[2] ?? '', from: 'Maven', directory };
  },

  async prepare(settings, { directory }, progress) {
    writeHadoopConfiguration(settings, 'hdfs');
    mkdirSync(join(dataDirectory(settings, 'hdfs'), 'datanode'), { recursive: true });
    if (existsSync(join(dataDirectory(settings, 'hdfs'), 'namenode', 'current', 'VERSION'))) return;
    progress('formatting the NameNode');
    const specification = await hadoopProcess(settings, directory, 'namenode');
    const result = await runCommand(
      specification.command,
      ['-XX:TieredStopAtLevel=1', ...specification.args, '-format', '-nonInteractive'],
      { env: { ...process.env, ...specification.env } },
    );
    if (result.code !== 0) {
      const data = dataDirectory(settings, 'hdfs');
      throw setUpFailure(`Formatting the NameNode in ${data}`, result.stdout + result.stderr, data);
    }
  },

  async processes(settings, { directory }) {
    return [await hadoopProcess(settings, directory, 'namenode'), await hadoopProcess(settings, directory, 'datanode')];
  },

  /** A DataNode that was just restarted is known to the NameNode from before: ask it too before calling HDFS whole. */
  async finish(settings) {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const problem = await problemOfDataNode(settings);
      if (problem === undefined) return;
      if (Date.now() > deadline) {
        throw new GridError(
          'server-start-failed',
          `Starting HDFS: the DataNode did not register: ${problem}. See \`npm run stack -- logs hdfs\`.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },
};

/** What Hive needs to find HDFS: the file system's own address. */
export function hdfsRpcUrl(settings: StackSettings): string {
  return `hdfs://localhost:${settings.ports['hdfs-rpc']}`;
}

/** Writes core-site.xml, hdfs-site.xml and the log settings into the configuration directory of `owner`. */
export function writeHadoopConfiguration(settings: StackSettings, owner: 'hdfs' | 'hive' | 'spark'): void {
  const { ports, config } = settings;
  const data = dataDirectory(settings, 'hdfs');
  const local = (port: number): string => `127.0.0.1:${port}`;
  writeConfiguration(
    settings,
    owner,
    'core-site.xml',
    hadoopXml({
      'fs.defaultFS': hdfsRpcUrl(settings),
      'hadoop.tmp.dir': temporaryDirectory(settings, owner),
      'hadoop.http.staticuser.user': config.HDFS_USER,
      // Without these Hive's CREATE DATABASE fails, with a message that hides the cause.
      [`hadoop.proxyuser.${config.HDFS_USER}.hosts`]: '*',
      [`hadoop.proxyuser.${config.HDFS_USER}.groups`]: '*',
    }),
  );
  writeConfiguration(
    settings,
    owner,
    'hdfs-site.xml',
    hadoopXml({
      'dfs.replication': 1,
      'dfs.permissions.enabled': false,
      // WebHDFS then answers GETFILECHECKSUM with MD5-of-0MD5-of-512CRC32, which a client can compute from what it sent.
      'dfs.checksum.type': 'CRC32',
      'dfs.namenode.name.dir': `file://${join(data, 'namenode')}`,
      'dfs.namenode.rpc-address': `localhost:${ports['hdfs-rpc']}`,
      'dfs.namenode.rpc-bind-host': '127.0.0.1',
      'dfs.namenode.http-address': local(ports['hdfs-http']),
      'dfs.namenode.safemode.extension': 0,
      'dfs.namenode.safemode.min.datanodes': 1,
      'dfs.namenode.datanode.registration.ip-hostname-check': false,
      'dfs.datanode.data.dir': `file://${join(data, 'datanode')}`,
      'dfs.datanode.hostname': 'localhost',
      'dfs.datanode.address': local(ports['datanode-data']),
      'dfs.datanode.http.address': local(ports['datanode-http']),
      'dfs.datanode.ipc.address': local(ports['datanode-ipc']),
      'dfs.client.use.datanode.hostname': true,
      // A DataNode that ends a file for a WebHDFS client asks the NameNode whether the last block has been reported, and
      // when it has not, waits 400 ms before it asks again: most of the time that writing a small file takes.
      'dfs.client.block.write.locateFollowingBlock.initial.delay.ms': 10,
      'dfs.client.block.write.locateFollowingBlock.retries': 10,
    }),
  );
}

/** The jars, and the web pages out of the tests jar, without which neither server starts. */
async function build(settings: StackSettings, directory: string, progress: Progress): Promise<void> {
  await installJars(settings, 'hdfs', directory, progress);
  const tests = readMavenLock('hdfs').jars.find(({ coordinates }) => coordinates.endsWith(':tests'));
  const archive = join(directory, 'lib', jarFileName(tests?.coordinates ?? ''));
  progress('unpacking the web pages');
  const pages = unzip(archive, join(directory, 'pages'), (name) =>
    name.startsWith('webapps/') ? { path: name } : undefined,
  );
  if (pages === 0) throw new GridError('defect', `Unpacking ${archive}: it holds no webapps/.`);
}

/** The distribution at `HADOOP_HOME`, when it is of the version family that was tried. */
function findOnMachine(): Installation | undefined {
  const home = process.env['HADOOP_HOME'] ?? '';
  const common = join(home, 'share', 'hadoop', 'common');
  if (home === '' || !existsSync(common) || !existsSync(pagesDirectory(home))) return undefined;
  for (const file of readdirSync(common)) {
    const version = /^hadoop-common-(3\.4\.\d+)\.jar$/.exec(file)?.[1];
    if (version !== undefined) return { version, from: home, directory: home };
  }
  return undefined;
}

function libraryDirectories(directory: string): string[] {
  const share = join(directory, 'share', 'hadoop');
  if (!existsSync(share)) return [join(directory, 'lib')];
  return ['common', 'common/lib', 'hdfs', 'hdfs/lib']
    .map((part) => join(share, part))
    .filter((path) => existsSync(path));
}

/** The directory that holds `webapps`. */
function pagesDirectory(directory: string): string {
  const distribution = join(directory, 'share', 'hadoop', 'hdfs');
  return existsSync(distribution) ? distribution : join(directory, 'pages');
}

async function hadoopProcess(
  settings: StackSettings,
  directory: string,
  role: 'namenode' | 'datanode',
): Promise<ProcessSpec> {
  const java = await requireJava();
  const configuration = join(settings.home, 'conf', 'hdfs');
  writeConfiguration(settings, 'hdfs', 'log4j.properties', LOGGING);
  const heapMegabytes = role === 'namenode' ? NAMENODE_HEAP_MEGABYTES : DATANODE_HEAP_MEGABYTES;
  const main = role === 'namenode' ? 'namenode.NameNode' : 'datanode.DataNode';
  return {
    name: role,
    command: java.path,
    args: [
      ...jvmFlags({ heapMegabytes, temporaryDirectory: temporaryDirectory(settings, role), openInternals: true }),
      writeClassPath(settings, 'hdfs', [configuration, pagesDirectory(directory)], libraryDirectories(directory)),
      `org.apache.hadoop.hdfs.server.${main}`,
    ],
    cwd: dataDirectory(settings, 'hdfs'),
    env: { HADOOP_USER_NAME: settings.config.HDFS_USER },
    ports: role === 'namenode' ? ['hdfs-http', 'hdfs-rpc'] : ['datanode-http', 'datanode-data', 'datanode-ipc'],
  };
}

async function problemOfNameNode(url: string): Promise<string | undefined> {
  try {
    const bean = await readBean(url, 'Hadoop:service=NameNode,name=NameNodeInfo');
    if (bean === undefined) return `${url} is no NameNode, or is still starting`;
    const safeMode = textOf(bean['Safemode']);
    if (safeMode !== '') return `the NameNode is in safe mode (${safeMode.slice(0, 200)})`;
    const live = JSON.parse(textOf(bean['LiveNodes'])) as Record<string, unknown>;
    return Object.keys(live).length === 0 ? 'no DataNode is alive' : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function problemOfDataNode(settings: StackSettings): Promise<string | undefined> {
  try {
    const url = `http://127.0.0.1:${settings.ports['datanode-http']}`;
    const bean = await readBean(url, 'Hadoop:service=DataNode,name=DataNodeInfo');
    if (bean === undefined) return `${url} is still starting`;
    const actors = JSON.parse(textOf(bean['BPServiceActorInfo'])) as { ActorState?: string }[];
    return actors.some(({ ActorState }) => ActorState === 'RUNNING') ? undefined : 'it has not registered yet';
  } catch (error) {
    return reasonOf(error);
  }
}

async function readBean(url: string, name: string): Promise<Record<string, unknown> | undefined> {
  const reply = await fetch(new URL(`/jmx?qry=${name}`, url), { signal: AbortSignal.timeout(5000) });
  if (!reply.ok) throw new Error(`${url} answered ${reply.status}`);
  const body = (await reply.json()) as { beans?: Record<string, unknown>[] };
  return body.beans?.[0];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const LOGGING = properties({
  'log4j.rootLogger': 'WARN, console',
  'log4j.appender.console': 'org.apache.log4j.ConsoleAppender',
  'log4j.appender.console.layout': 'org.apache.log4j.PatternLayout',
  'log4j.appender.console.layout.ConversionPattern': '%d{ISO8601} %p %c{2}: %m%n',
  'log4j.logger.org.apache.hadoop.hdfs.server.namenode.NameNode': 'INFO',
  'log4j.logger.org.apache.hadoop.hdfs.server.namenode.FSNamesystem': 'INFO',
});
