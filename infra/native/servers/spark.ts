import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from '../install/installation.ts';
import { lockMark, readSourceLock } from '../install/lock.ts';
import { installSource } from '../install/wheel.ts';
import { jvmFlags, requireJava } from '../java.ts';
import { probeSilence } from '../probe.ts';
import type { Server } from '../server.ts';
import type { StackSettings } from '../settings.ts';
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

const HEAP_MEGABYTES = 1024;

/**
 * Spark's Thrift server over the stack's HDFS: it speaks HiveServer2's protocol, so that `HIVE_URL` may name it. With a metastore of its
 * own; queries run in its own process, on two cores.
 */
export const spark: Server = {
  name: 'spark',
  title: 'Spark Thrift server',
  needs: ['hdfs'],
  processNames: ['spark'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 20_000,
  readyTimeoutMs: 180_000,

  addresses: ({ ports }) => [{ host: 'localhost', port: ports.spark }],

  async probe(settings) {
    const [address = { host: 'localhost', port: settings.ports.spark }] = spark.addresses(settings);
    return (await probeSilence([address])) ?? (await probeHive(address, settings.config.HDFS_USER));
  },

  async install(settings, progress) {
    await requireJava();
    const directory = await installOnce(settings, 'spark', lockMark('spark'), (unfinished) =>
      installSource(settings, 'spark', unfinished, progress, 'deps/jars'),
    );
    return { version: readSourceLock('spark').requirement.split('==')[1] ?? '', from: 'PyPI', directory };
  },

  prepare(settings) {
    writeHadoopConfiguration(settings, 'spark');
    writeConfiguration(settings, 'spark', 'hive-site.xml', hadoopXml(hiveSite(settings)));
    writeConfiguration(settings, 'spark', 'spark-defaults.conf', properties(sparkDefaults(settings)));
    writeConfiguration(settings, 'spark', 'log4j2.properties', LOGGING);
    mkdirSync(dataDirectory(settings, 'spark'), { recursive: true });
    return Promise.resolve();
  },

  async processes(settings, { directory }) {
    const java = await requireJava();
    const configuration = join(settings.home, 'conf', 'spark');
    return [
      {
        name: 'spark',
        command: java.path,
        args: [
          ...jvmFlags({
            heapMegabytes: HEAP_MEGABYTES,
            temporaryDirectory: temporaryDirectory(settings, 'spark'),
            openInternals: true,
          }),
          '--add-opens=java.base/sun.util.calendar=ALL-UNNAMED',
          `-DHADOOP_USER_NAME=${settings.config.HDFS_USER}`,
          `-Dderby.stream.error.file=${join(settings.home, 'logs', 'spark-derby.log')}`,
          '-Duser.timezone=UTC',
          writeClassPath(settings, 'spark', [configuration], [directory]),
          ...['org.apache.spark.deploy.SparkSubmit', '--properties-file', join(configuration, 'spark-defaults.conf')],
          ...['--class', 'org.apache.spark.sql.hive.thriftserver.HiveThriftServer2', 'spark-internal'],
        ],
        cwd: dataDirectory(settings, 'spark'),
        env: { SPARK_LOCAL_IP: '127.0.0.1' },
        ports: ['spark'],
      },
    ];
  },
};

/** Whether it has been downloaded already. */
export function isSparkInstalled(settings: StackSettings): boolean {
  return existsSync(join(settings.installHome, `spark-${lockMark('spark')}`));
}

function hiveSite(settings: StackSettings): Record<string, string | number | boolean> {
  return {
    'hive.server2.transport.mode': 'binary',
    'hive.server2.thrift.bind.host': '127.0.0.1',
    'hive.server2.thrift.port': settings.ports.spark,
    'hive.server2.authentication': 'NOSASL',
    'hive.server2.enable.doAs': false,
    'hive.server2.logging.operation.enabled': false,
    'javax.jdo.option.ConnectionURL': `jdbc:derby:${join(dataDirectory(settings, 'spark'), 'metastore')};create=true`,
    'datanucleus.schema.autoCreateAll': true,
    'hive.metastore.schema.verification': false,
    'hive.exec.scratchdir': '/tmp/spark',
    'hive.exec.local.scratchdir': join(temporaryDirectory(settings, 'spark'), 'scratch'),
  };
}

function sparkDefaults(settings: StackSettings): Record<string, string | number | boolean> {
  return {
    'spark.master': 'local[2]',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': false,
    'spark.local.dir': temporaryDirectory(settings, 'spark'),
    'spark.sql.warehouse.dir': '/user/spark/warehouse',
    'spark.sql.session.timeZone': 'UTC',
    // For two cores; 200 tasks of a few rows each cost more than the work.
    'spark.sql.shuffle.partitions': 4,
    // Its words for functions and types that Hive and Spark spell alike, and text as it lies there.
    'spark.sql.storeAssignmentPolicy': 'LEGACY',
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
  'logger.thrift.name': 'org.apache.thrift',
  'logger.thrift.level': 'FATAL',
});
