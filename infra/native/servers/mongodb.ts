import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { GridError } from '../../../grid/errors.ts';
import { lastLines, runCommand } from '../command.ts';
import { installOnce } from '../install/installation.ts';
import { lockMark, readMavenLock } from '../install/lock.ts';
import { installJars, jarFileName } from '../install/maven.ts';
import { jvmFlags, requireJava } from '../java.ts';
import { probeSilence, reasonOf } from '../probe.ts';
import type { Progress, Server } from '../server.ts';
import { mongoAddresses, type StackSettings } from '../settings.ts';
import { dataDirectory, projectFile, temporaryDirectory, writeClassPath } from './files.ts';

const HEAP_MEGABYTES = 256;
/** Network buffers; a message may have 48 MB. */
const DIRECT_MEGABYTES = 128;
const SOURCE = 'mongodb/MongoWireServer.java';

/** A server that speaks MongoDB's wire protocol; MongoDB itself is in no registry. */
export const mongodb: Server = {
  name: 'mongodb',
  title: 'MongoDB-wire server',
  needs: [],
  processNames: ['mongodb'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 20_000,
  readyTimeoutMs: 60_000,

  addresses: ({ config }) => mongoAddresses(config.MONGODB_URL),

  async probe(settings) {
    const url = settings.config.MONGODB_URL;
    if (!url.startsWith('mongodb+srv:')) {
      const silence = await probeSilence(mongodb.addresses(settings));
      if (silence !== undefined) return silence;
    }
    const client = new MongoClient(url, {
      serverSelectionTimeoutMS: 3000,
      connectTimeoutMS: 2000,
      socketTimeoutMS: 5000,
    });
    try {
      await client.db('admin').command({ ping: 1 });
      return { kind: 'ready' };
    } catch (error) {
      return { kind: 'not-ready', reason: reasonOf(error) };
    } finally {
      await client.close().catch(() => undefined);
    }
  },

  async install(settings, progress) {
    await requireJava();
    const directory = await installOnce(settings, 'mongodb', lockMark('mongodb', projectFile(SOURCE)), (unfinished) =>
      build(settings, unfinished, progress),
    );
    const core = readMavenLock('mongodb').jars.find(({ coordinates }) => coordinates.includes(':mongo-java-server:'));
    return { version: core?.coordinates.split(':')[2] ?? '', from: 'Maven', directory };
  },

  prepare(settings) {
    mkdirSync(dataDirectory(settings, 'mongodb'), { recursive: true });
    return Promise.resolve();
  },

  async processes(settings, { directory }) {
    const java = await requireJava();
    return [
      {
        name: 'mongodb',
        command: java.path,
        args: [
          ...jvmFlags({ heapMegabytes: HEAP_MEGABYTES, temporaryDirectory: temporaryDirectory(settings, 'mongodb') }),
          `-XX:MaxDirectMemorySize=${DIRECT_MEGABYTES}m`,
          writeClassPath(settings, 'mongodb', [join(directory, 'classes')], [join(directory, 'lib')]),
          'MongoWireServer',
          '127.0.0.1',
          String(settings.ports.mongodb),
          join(dataDirectory(settings, 'mongodb'), 'mongodb.mv.db'),
        ],
        cwd: dataDirectory(settings, 'mongodb'),
        ports: ['mongodb'],
      },
    ];
  },
};

/** The jars, and our main compiled by the Eclipse compiler among them, so that a Java without javac is enough. */
async function build(settings: StackSettings, directory: string, progress: Progress): Promise<void> {
  await installJars(settings, 'mongodb', directory, progress);
  progress('compiling its main');
  const compiler = readMavenLock('mongodb').jars.find(({ coordinates }) => coordinates.includes(':ecj:'));
  const source = join(directory, 'MongoWireServer.java');
  writeFileSync(source, projectFile(SOURCE));
  const library = join(directory, 'lib');
  const java = await requireJava();
  const result = await runCommand(java.path, [
    ...['-jar', join(library, jarFileName(compiler?.coordinates ?? ''))],
    ...['--release', '17', '-d', join(directory, 'classes')],
    ...[
      '-cp',
      readMavenLock('mongodb')
        .jars.map(({ coordinates }) => join(library, jarFileName(coordinates)))
        .join(':'),
    ],
    source,
  ]);
  if (result.code !== 0) {
    throw new GridError('defect', `Compiling ${SOURCE} failed:\n${lastLines(result.stdout + result.stderr)}`);
  }
}
