import { join } from 'node:path';
import { GridError } from '../../grid/errors.ts';
import { findOnPath, isExecutable, runCommand } from './command.ts';

export const OLDEST_JAVA = 17;

export interface Java {
  readonly path: string;
  readonly majorVersion: number;
}

/** The Java of `JAVA_HOME`, else the one on the PATH. */
export async function findJava(): Promise<Java | undefined> {
  const home = process.env['JAVA_HOME'];
  const ofHome = home === undefined || home === '' ? undefined : join(home, 'bin', 'java');
  const path = ofHome !== undefined && isExecutable(ofHome) ? ofHome : findOnPath('java');
  if (path === undefined) return undefined;
  const { stderr, stdout, code } = await runCommand(path, ['-XshowSettings:none', '-version']);
  const version = /version "(\d+)(?:\.(\d+))?/.exec(stderr + stdout);
  if (code !== 0 || version === null) return undefined;
  // Up to Java 8 versions read 1.8.
  const major = Number(version[1]) === 1 ? Number(version[2]) : Number(version[1]);
  return { path, majorVersion: major };
}

let known: Promise<Java> | undefined;

/**
 * The Java to run servers with; looked for once.
 *
 * @throws GridError `tool-missing`
 */
export function requireJava(): Promise<Java> {
  known ??= findJava().then((java) => {
    if (java !== undefined && java.majorVersion >= OLDEST_JAVA) return java;
    const found = java === undefined ? 'there is none' : `${java.path} is version ${java.majorVersion}`;
    throw new GridError(
      'tool-missing',
      `Kafka, HDFS, Hive and the MongoDB-wire server need Java ${OLDEST_JAVA} or newer; ${found}. ${howToInstall('Java', 'openjdk-17-jre-headless')}, or set JAVA_HOME.`,
    );
  });
  return known;
}

/** `Install X, here: apt-get install y`, with the command only where it would work as it stands. */
export function howToInstall(what: string, debianPackages: string): string {
  const apt = findOnPath('apt-get');
  if (apt === undefined) return `Install ${what} with your system's package manager`;
  const root = process.getuid?.() === 0;
  return `Install ${what}, here: ${root ? '' : 'sudo '}apt-get install -y ${debianPackages}`;
}

const OPENED_PACKAGES = [
  'java.base/java.lang',
  'java.base/java.lang.invoke',
  'java.base/java.lang.reflect',
  'java.base/java.io',
  'java.base/java.math',
  'java.base/java.net',
  'java.base/java.nio',
  'java.base/java.text',
  'java.base/java.time',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/java.util.regex',
  'java.base/sun.nio.ch',
  'java.base/sun.nio.cs',
  'java.base/sun.security.action',
  'java.sql/java.sql',
  'java.management/sun.management',
];

/** Flags for small servers: a serial collector, IPv4 only (they listen on 127.0.0.1), and an end instead of a half-dead JVM. */
export function jvmFlags(options: {
  heapMegabytes: number;
  temporaryDirectory: string;
  /** Hadoop and Hive reach into the JDK by reflection. */
  openInternals?: boolean;
}): string[] {
  return [
    `-Xmx${options.heapMegabytes}m`,
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:-UsePerfData',
    '-Djava.net.preferIPv4Stack=true',
    '-Djava.awt.headless=true',
    '-Dfile.encoding=UTF-8',
    `-Djava.io.tmpdir=${options.temporaryDirectory}`,
    ...(options.openInternals === true ? OPENED_PACKAGES.map((name) => `--add-opens=${name}=ALL-UNNAMED`) : []),
  ];
}
