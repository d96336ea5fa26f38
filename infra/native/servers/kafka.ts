import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { runCommand } from '../command.ts';
import { installOnce, setUpFailure } from '../install/installation.ts';
import { lockMark, readMavenLock } from '../install/lock.ts';
import { installJars } from '../install/maven.ts';
import { jvmFlags, requireJava } from '../java.ts';
import type { Installation, Server } from '../server.ts';
import { parseAddress, type StackSettings } from '../settings.ts';
import { probeSilence, reasonOf } from '../probe.ts';
import { dataDirectory, properties, temporaryDirectory, writeClassPath, writeConfiguration } from './files.ts';

const HEAP_MEGABYTES = 256;

/** A single Kafka broker that is its own controller (KRaft). */
export const kafka: Server = {
  name: 'kafka',
  title: 'Kafka broker (KRaft)',
  needs: [],
  processNames: ['kafka'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 20_000,
  readyTimeoutMs: 90_000,

  addresses: ({ config }) => config.KAFKA_BROKERS.map((text) => parseAddress(text)),

  async probe(settings) {
    const silence = await probeSilence(kafka.addresses(settings));
    if (silence !== undefined) return silence;
    const client = new Kafka({
      clientId: 'powergrid-stack',
      brokers: settings.config.KAFKA_BROKERS,
      logLevel: logLevel.NOTHING,
      connectionTimeout: 2000,
      requestTimeout: 5000,
      enforceRequestTimeout: true,
      retry: { retries: 0 },
    });
    const admin = client.admin();
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      return brokers.length > 0 ? { kind: 'ready' } : { kind: 'not-ready', reason: 'the cluster has no broker yet' };
    } catch (error) {
      return { kind: 'not-ready', reason: reasonOf(error) };
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  },

  async install(settings, progress) {
    await requireJava();
    const onMachine = findOnMachine();
    if (onMachine !== undefined) return onMachine;
    const mark = lockMark('kafka');
    const directory = await installOnce(settings, 'kafka', mark, (unfinished) =>
      installJars(settings, 'kafka', unfinished, progress),
    );
    const broker = readMavenLock('kafka').jars.find(({ coordinates }) => coordinates.includes(':kafka_2.13:'));
    return { version: broker?.coordinates.split(':')[2] ?? '', from: 'Maven', directory };
  },

  async prepare(settings, installation, progress) {
    const data = dataDirectory(settings, 'kafka');
    mkdirSync(data, { recursive: true });
    writeConfiguration(settings, 'kafka', 'log4j2.properties', LOGGING);
    const path = writeConfiguration(settings, 'kafka', 'server.properties', properties(brokerProperties(settings)));
    if (existsSync(join(data, 'meta.properties'))) return;
    progress('formatting its storage');
    const clusterId = randomBytes(16).toString('base64url');
    const java = await requireJava();
    const result = await runCommand(java.path, [
      ...jvmFlags({ heapMegabytes: 64, temporaryDirectory: temporaryDirectory(settings, 'kafka') }),
      '-XX:TieredStopAtLevel=1',
      writeClassPath(settings, 'kafka', [], [libraryDirectory(installation)]),
      'kafka.tools.StorageTool',
      'format',
      '--ignore-formatted',
      '-t',
      clusterId,
      '-c',
      path,
    ]);
    if (result.code !== 0) {
      throw setUpFailure(`Formatting Kafka's storage in ${data}`, result.stdout + result.stderr, data);
    }
  },

  async processes(settings, installation) {
    const java = await requireJava();
    return [
      {
        name: 'kafka',
        command: java.path,
        args: [
          ...jvmFlags({ heapMegabytes: HEAP_MEGABYTES, temporaryDirectory: temporaryDirectory(settings, 'kafka') }),
          `-Dlog4j2.configurationFile=${join(settings.home, 'conf', 'kafka', 'log4j2.properties')}`,
          writeClassPath(settings, 'kafka', [], [libraryDirectory(installation)]),
          'kafka.Kafka',
          join(settings.home, 'conf', 'kafka', 'server.properties'),
        ],
        cwd: dataDirectory(settings, 'kafka'),
        ports: ['kafka', 'kafka-controller'],
      },
    ];
  },
};

/** A distribution calls it `libs`, our own installation `lib`. */
function libraryDirectory({ directory }: Installation): string {
  const distribution = join(directory, 'libs');
  return existsSync(distribution) ? distribution : join(directory, 'lib');
}

/** The distribution at `KAFKA_HOME`, when it is of the version family whose settings we write. */
function findOnMachine(): Installation | undefined {
  const home = process.env['KAFKA_HOME'] ?? '';
  if (home === '' || !existsSync(join(home, 'libs'))) return undefined;
  for (const file of readdirSync(join(home, 'libs'))) {
    const version = /^kafka_2\.13-(4\.\d+\.\d+)\.jar$/.exec(file)?.[1];
    if (version !== undefined) return { version, from: home, directory: home };
  }
  return undefined;
}

function brokerProperties(settings: StackSettings): Record<string, string | number | boolean> {
  const { ports } = settings;
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports['kafka-controller']}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports['kafka-controller']}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.kafka}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDirectory(settings, 'kafka'),
    'auto.create.topics.enable': false,
    'num.partitions': 6,
    'num.network.threads': 3,
    'num.io.threads': 4,
    // Rights can be taken away and given back; as long as nobody does, everybody has all.
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': true,
    // One node: nothing to replicate to.
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 10,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 10,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // A group starts at once, and notices a dead member soon.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // After a kill the controller waits this long before it lets the broker in again.
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 1000,
    // The default of 128 MB does not fit a small heap.
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'num.recovery.threads.per.data.dir': 2,
  };
}

/** Warnings and the few lines that tell a start from its end. */
const LOGGING = properties({
  'appender.console.type': 'Console',
  'appender.console.name': 'console',
  'appender.console.layout.type': 'PatternLayout',
  'appender.console.layout.pattern': '%d{yyyy-MM-dd HH:mm:ss,SSS} %p %c{1}: %m%n',
  'rootLogger.level': 'WARN',
  'rootLogger.appenderRef.console.ref': 'console',
  'logger.server.name': 'kafka.server.KafkaRaftServer',
  'logger.server.level': 'INFO',
  'logger.group.name': 'org.apache.kafka.coordinator.group',
  'logger.group.level': 'INFO',
});
