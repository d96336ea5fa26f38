/**
 * Apache Sqoop as a peer of the SQL import: one process with Hadoop's local job runner, which runs its mappers as threads.
 *
 * Sqoop tells itself how long the transfer took; the seconds beside that hold the start of the JVM, and the record class that it
 * generates and compiles at every run.
 */
import { mkdir, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { measureCommand } from '../../compare/command.ts';
import { machineCpuSeconds } from '../../compare/process-usage.ts';
import type { SideResult } from '../../compare/result.ts';
import { nameNodeRpcUrl, writeHadoopFiles } from '../hadoop.ts';
import { classPath, installPeer } from '../maven.ts';

const JVM_FLAGS = [
  '-Xmx1g',
  '-Djava.net.preferIPv4Stack=true',
  ...['lang', 'util', 'io'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
];

export interface Sqoop {
  readonly home: string;
}

/** `direct` has psql do the COPY, which is Sqoop's fastest way; it knows no mappers and no types. */
export type SqoopMode = 'jdbc' | 'jdbc-gzip' | 'direct';

const ARGUMENTS: Readonly<Record<SqoopMode, readonly string[]>> = {
  jdbc: ['--num-mappers', '2'],
  'jdbc-gzip': ['--num-mappers', '2', '--compress'],
  direct: ['--num-mappers', '1', '--direct'],
};

export interface SqoopRun {
  readonly databaseUrl: string;
  readonly webHdfsUrl: string;
  readonly hdfsUser: string;
  /** `--direct` calls it by its name. */
  readonly psqlPath: string;
  readonly schema: string;
  readonly table: string;
  readonly rows: number;
  /** HDFS directory, which must not exist. */
  readonly directory: string;
}

/** Fetches Sqoop, the PostgreSQL driver and Hadoop's client, once. */
export async function installSqoop(stackHome: string, signal: AbortSignal): Promise<Sqoop> {
  return { home: await installPeer('sqoop', stackHome, signal) };
}

function connectionArguments(databaseUrl: string): string[] {
  const { hostname, port, pathname, username, password } = new URL(databaseUrl);
  const jdbcUrl = `jdbc:postgresql://${hostname}:${port === '' ? '5432' : port}${pathname}`;
  return [
    ...['--connect', jdbcUrl, '--username', decodeURIComponent(username)],
    ...(password === '' ? [] : ['--password', decodeURIComponent(password)]),
  ];
}

/** @throws Error when Sqoop fails, or does not tell of a transfer of that many rows */
export async function runSqoop(sqoop: Sqoop, mode: SqoopMode, run: SqoopRun, signal: AbortSignal): Promise<SideResult> {
  const work = join(sqoop.home, 'work');
  await rm(work, { recursive: true, force: true });
  const [conf, classes, sources, empty] = ['conf', 'classes', 'sources', 'empty'].map((name) => join(work, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const directory of [classes, sources, empty]) await mkdir(directory, { recursive: true });
  await writeHadoopFiles(conf, {
    hdfsUrl: await nameNodeRpcUrl(run.webHdfsUrl),
    temporaryDirectory: join(work, 'tmp'),
    logLevel: 'INFO',
  });
  const args = [
    ...JVM_FLAGS,
    ...['-cp', await classPath(sqoop.home, [conf, classes]), 'org.apache.sqoop.Sqoop', 'import'],
    // Without the old name of the setting Sqoop takes the local runner for a cluster that runs one mapper.
    ...['-D', 'mapreduce.framework.name=local', '-D', 'mapreduce.jobtracker.address=local'],
    ...['-D', 'mapreduce.local.map.tasks.maximum=2'],
    ...connectionArguments(run.databaseUrl),
    ...['--table', run.table, '--target-dir', run.directory, '--outdir', sources, '--bindir', classes],
    ...ARGUMENTS[mode],
    ...['--', '--schema', run.schema],
  ];
  const machineCpuBefore = machineCpuSeconds();
  try {
    const usage = await measureCommand('java "$@"', args, {
      cwd: work,
      env: {
        ...process.env,
        PATH: [dirname(run.psqlPath), process.env['PATH'] ?? ''].join(delimiter),
        HADOOP_USER_NAME: run.hdfsUser,
        // It looks for these directories, not for anything in them.
        HADOOP_HOME: empty,
        HADOOP_COMMON_HOME: empty,
        HADOOP_MAPRED_HOME: empty,
      },
      signal,
    });
    const machineCpu = machineCpuSeconds() - machineCpuBefore;
    const transferSeconds = Number(
      /Transferred \S+ \S+ in ([\d.,]+) seconds/.exec(usage.log)?.[1]?.replaceAll(',', ''),
    );
    if (!(transferSeconds > 0)) throw new Error(`Sqoop told of no transfer; the end of its log:\n${usage.log}`);
    return {
      records: run.rows,
      seconds: usage.seconds,
      recordsPerSecond: Math.round(run.rows / usage.seconds),
      transferRecordsPerSecond: Math.round(run.rows / transferSeconds),
      cpuSecondsPerMillion: usage.cpuSeconds / (run.rows / 1e6),
      machineCpuSecondsPerMillion: machineCpu / (run.rows / 1e6),
      peakResidentMiB: usage.peakResidentMiB,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
