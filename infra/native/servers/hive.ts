import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { lastLines, runCommand } from '../command.ts';
import { installOnce, setUpFailure } from '../install/installation.ts';
import { lockMark, readMavenLock, repositoryPath } from '../install/lock.ts';
import { installJars, mavenRepository } from '../install/maven.ts';
import { jvmFlags, requireJava } from '../java.ts';
import { probeSilence } from '../probe.ts';
import type { Progress, Server } from '../server.ts';
import { parseAddress, sqlServerOf, type StackSettings } from '../settings.ts';
import {
  dataDirectory,
  hadoopXml,
  properties,
  temporaryDirectory,
  writeClassPath,
  writeConfiguration,
} from './files.ts';
import { writeHadoopConfiguration } from './hdfs.ts';
import { probeHive } from './hive-probe.ts';

// 384 MB serve one query at a time; two that read whole tables ran out of it.
const HEAP_MEGABYTES = 768;
const SCHEMA = 'scripts/metastore/upgrade/derby/hive-schema-4.0.0.derby.sql';

/** HiveServer2 over the stack's HDFS, with an embedded Derby metastore; queries run in its own process. */
export const hive: Server = {
  name: 'hive',
  title: 'HiveServer2',
  needs: ['hdfs'],
  processNames: ['hive'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 20_000,
  readyTimeoutMs: 180_000,

  addresses: (settings) =>
    sqlServerOf(settings) === 'hive'
      ? [parseAddress(settings.config.HIVE_URL)]
      : [{ host: 'localhost', port: settings.ports.hive }],

  async probe(settings) {
    const [address = { host: 'localhost', port: settings.ports.hive }] = hive.addresses(settings);
    return (await probeSilence([address])) ?? (await probeHive(address, settings.config.HDFS_USER));
  },

  async install(settings, progress) {
    await requireJava();
    const directory = await installOnce(settings, 'hive', lockMark('hive'), (unfinished) =>
      build(settings, unfinished, progress),
    );
    const service = readMavenLock('hive').jars.find(({ coordinates }) => coordinates.includes(':hive-service:'));
    return { version: service?.coordinates.split(':')[2] ?? '', from: 'Maven', directory };
  },

  async prepare(settings, { directory }, progress) {
    writeHadoopConfiguration(settings, 'hive');
    writeConfiguration(settings, 'hive', 'hive-site.xml', hadoopXml(hiveSite(settings)));
    writeConfiguration(settings, 'hive', 'hive-log4j2.properties', LOGGING);
    mkdirSync(dataDirectory(settings, 'hive'), { recursive: true });
    if (!existsSync(metastore(settings))) await createMetastore(settings, directory, progress);
  },

  async processes(settings, { directory }) {
    const java = await requireJava();
    const configuration = join(settings.home, 'conf', 'hive');
    return [
      {
        name: 'hive',
        command: java.path,
        args: [
          ...jvmFlags({
            heapMegabytes: HEAP_MEGABYTES,
            temporaryDirectory: temporaryDirectory(settings, 'hive'),
            openInternals: true,
          }),
          // As a property: of the environment variable Hive makes a new user for every call, and keeps its file system for ever.
          `-DHADOOP_USER_NAME=${settings.config.HDFS_USER}`,
          // Handlers of its planner that it keeps, each with a configuration of half a megabyte.
          '-Dcalcite.metadata.handler.cache.maximum.size=40',
          `-Dderby.stream.error.file=${join(settings.home, 'logs', 'hive-derby.log')}`,
          `-Dlog4j2.configurationFile=${join(configuration, 'hive-log4j2.properties')}`,
          writeClassPath(settings, 'hive', [configuration], [join(directory, 'lib')]),
          'org.apache.hive.service.server.HiveServer2',
        ],
        cwd: dataDirectory(settings, 'hive'),
        // Hive asks for a Hadoop home though it takes nothing from it.
        env: { HADOOP_HOME: directory },
        ports: ['hive'],
      },
    ];
  },
};

function metastore(settings: StackSettings): string {
  return join(dataDirectory(settings, 'hive'), 'metastore');
}

/** The jars, and the metastore's schema out of the archive that carries it. */
async function build(settings: StackSettings, directory: string, progress: Progress): Promise<void> {
  await installJars(settings, 'hive', directory, progress);
  const server = readMavenLock('hive').jars.find(({ coordinates }) => coordinates.endsWith(':bin@tar.gz'));
  const archive = join(mavenRepository(settings), repositoryPath(server?.coordinates ?? ''));
  progress('unpacking the schema of the metastore');
  const version = server?.coordinates.split(':')[2] ?? '';
  const result = await runCommand('tar', [
    ...['-xzf', archive, '-C', directory, '--strip-components=5'],
    `apache-hive-metastore-${version}-bin/${SCHEMA}`,
  ]);
  if (result.code !== 0) {
    throw new GridError('download-failed', `Unpacking ${SCHEMA} from ${archive} failed:\n${lastLines(result.stderr)}`);
  }
}

/** Made aside and renamed, so that a metastore that is there has its whole schema. */
async function createMetastore(settings: StackSettings, directory: string, progress: Progress): Promise<void> {
  progress('creating its metastore');
  const unfinished = `${metastore(settings)}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const java = await requireJava();
  const result = await runCommand(
    java.path,
    [
      ...jvmFlags({ heapMegabytes: 128, temporaryDirectory: temporaryDirectory(settings, 'hive') }),
      '-XX:TieredStopAtLevel=1',
      // The schema is written once; a crash half-way starts it over.
      '-Dderby.system.durability=test',
      `-Dderby.stream.error.file=${join(settings.home, 'logs', 'hive-derby.log')}`,
      writeClassPath(settings, 'hive', [], [join(directory, 'lib')]),
      'org.apache.derby.tools.ij',
    ],
    {
      cwd: directory,
      input: `CONNECT 'jdbc:derby:${unfinished};create=true';\nRUN '${join(directory, 'hive-schema-4.0.0.derby.sql')}';\nDISCONNECT;\nCONNECT 'jdbc:derby:${unfinished};shutdown=true';\n`,
    },
  );
  // 08006 is how Derby reports the shutdown that was asked for.
  const errors = result.stdout.split('\n').filter((line) => /^ERROR (?!08006)/.test(line));
  if (result.code !== 0 || errors.length > 0) {
    const data = dataDirectory(settings, 'hive');
    throw setUpFailure(`Creating Hive's metastore in ${data}`, [...errors.slice(0, 5), result.stderr].join('\n'), data);
  }
  renameSync(unfinished, metastore(settings));
}

function hiveSite(settings: StackSettings): Record<string, string | number | boolean> {
  const scratch = temporaryDirectory(settings, 'hive');
  return {
    // The server.
    'hive.server2.transport.mode': 'binary',
    'hive.server2.thrift.bind.host': '127.0.0.1',
    'hive.server2.thrift.port': settings.ports.hive,
    'hive.server2.authentication': 'NOSASL',
    'hive.server2.enable.doAs': false,
    'hive.server2.webui.port': 0,
    'hive.server2.metrics.enabled': false,
    'hive.server2.materializedviews.registry.impl': 'DUMMY',
    'hive.server2.logging.operation.log.location': join(scratch, 'operation-logs'),
    'hive.server2.tez.initialize.default.sessions': false,
    // The metastore, in this process.
    'javax.jdo.option.ConnectionURL': `jdbc:derby:${metastore(settings)}`,
    'javax.jdo.option.ConnectionDriverName': 'org.apache.derby.jdbc.EmbeddedDriver',
    'javax.jdo.option.ConnectionUserName': 'APP',
    'javax.jdo.option.ConnectionPassword': 'mine',
    'datanucleus.schema.autoCreateAll': false,
    'hive.metastore.event.db.notification.api.auth': false,
    'hive.metastore.warehouse.dir': '/user/hive/warehouse',
    'hive.metastore.warehouse.external.dir': '/user/hive/external',
    'hive.txn.manager': 'org.apache.hadoop.hive.ql.lockmgr.DummyTxnManager',
    'hive.support.concurrency': false,
    // Where it works.
    'hive.exec.scratchdir': '/tmp/hive',
    'hive.exec.local.scratchdir': join(scratch, 'scratch'),
    'hive.downloaded.resources.dir': join(scratch, 'resources'),
    'hive.querylog.location': join(scratch, 'query-logs'),
    'mapreduce.cluster.local.dir': join(scratch, 'mapreduce'),
    // Queries run in this process. A cancelled query of MapReduce ends at once, one of local Tez minutes later.
    'hive.execution.engine': 'mr',
    // Else a job's end is looked for once a second, which is longer than most jobs here take.
    'hive.exec.counters.pull.interval': 50,
    // Else the small side of a join is read by a child, started by a script that is not there.
    'hive.exec.submit.local.task.via.child': false,
    'mapreduce.framework.name': 'local',
    // For every client: tables over directories show what lies below them.
    'mapreduce.input.fileinputformat.input.dir.recursive': true,
    'mapreduce.task.io.sort.mb': 32,
    'tez.local.mode': true,
    'tez.local.mode.without.network': true,
    'tez.runtime.io.sort.mb': 32,
    'hive.tez.container.size': 256,
  };
}

const LOGGING = properties({
  status: 'error',
  'appender.console.type': 'Console',
  'appender.console.name': 'console',
  'appender.console.layout.type': 'PatternLayout',
  'appender.console.layout.pattern': '%d{yyyy-MM-dd HH:mm:ss,SSS} %p %c{1}: %m%n',
  'rootLogger.level': 'WARN',
  'rootLogger.appenderRef.console.ref': 'console',
  // Says at length that a client closed its connection, which is how a readiness check ends.
  'logger.thrift.name': 'org.apache.hive.service.cli.thrift.ThriftCLIService',
  'logger.thrift.level': 'ERROR',
});
