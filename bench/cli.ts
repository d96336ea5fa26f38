/** npm run bench -- <name> [options]: lists the benchmarks or runs one, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

interface Benchmark {
  /** Relative to the project's root. */
  readonly file: string;
  readonly usage: string;
  readonly description: string;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'hdfs-sink': {
    file: 'bench/hdfs-sink/compare.ts',
    usage: '[--records 1000000] [--runs 3] [--with-flume]',
    description: 'Kafka to HDFS: the sink beside a bare consumer, and beside Flume',
  },
  'hdfs-writer': {
    file: 'bench/hdfs-writer.ts',
    usage: '[MB per file, 512] [runs, 3]',
    description: 'one file to HDFS, verified, beside a bare PUT and the webhdfs driver',
  },
  'sql-import': {
    file: 'bench/sql-import/compare.ts',
    usage: '[--rows 10000000] [--runs 3] [--with-sqoop] [--sqlserver] [--keep-table]',
    description: 'PostgreSQL to HDFS: the import beside psql, a bare pipe, and Sqoop',
  },
  'batch-views': {
    file: 'bench/batch-views.ts',
    usage: '[readings, 1000000] [runs, 3] [days, 10]',
    description: 'batch views from HDFS by Hive, beside the same statements by the bare driver',
  },
  compaction: {
    file: 'bench/compaction.ts',
    usage: '[readings, 300000] [readings a file, 2000]',
    description: 'compaction of readings, and what ORC, Parquet and text take',
  },
  'redis-sink': {
    file: 'bench/redis-sink.ts',
    usage: '[readings, 600000] [runs, 3]',
    description: 'newest values into Redis, through Kafka and fed directly',
  },
  'mongodb-sink': {
    file: 'bench/mongodb-sink.ts',
    usage: '[records, 60000] [runs, 3]',
    description: 'documents into MongoDB beside bare bulkWrite',
  },
  'windows-sink': {
    file: 'bench/windows-sink.ts',
    usage: '[readings, 1000000] [runs, 3]',
    description: 'windows of live readings in PostgreSQL, every revision in Kafka',
  },
  gateway: {
    file: 'bench/gateway.ts',
    usage: '[readings, 300000] [runs, 3] [readings per batch, 500] [connections, 6]',
    description: 'batches over HTTP, acknowledged by Kafka',
  },
  latency: {
    file: 'bench/latency.ts',
    usage: '[--rate 2000] [--seconds 30]',
    description: "from the gateway's acceptance to visible in Redis",
  },
  'alarms-sink': {
    file: 'bench/alarms-sink.ts',
    usage: '[readings, 1000000]',
    description: 'readings through Kafka under alarm rules',
  },
  simulator: {
    file: 'bench/simulator.ts',
    usage: '[records, 1000000] [runs, 3]',
    description: 'readings made, and made and sent',
  },
};

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** Runs a benchmark and leaves with its exit code; it hears of SIGINT and SIGTERM and cleans up before it ends. */
async function run({ file }: Benchmark, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { cwd: PROJECT, stdio: 'inherit' });
  // A terminal sends SIGINT to the benchmark as well: this process only has to outlive it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => {
    child.kill('SIGTERM');
  });
  await once(child, 'close');
  const { exitCode, signalCode } = child;
  process.exitCode = exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
}

const program = new Command('npm run bench --')
  .description('Benchmarks against the running stack (npm run stack -- up)')
  .enablePositionalOptions()
  .helpCommand(false)
  .action(() => {
    program.outputHelp();
  });
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  program
    .command(name)
    .description(`${benchmark.description}\n${benchmark.usage}`)
    .usage(benchmark.usage)
    .argument('[arguments...]', 'passed on to the benchmark')
    .allowUnknownOption()
    .passThroughOptions()
    .action((args: string[]) => run(benchmark, args));
}
program
  .command('list')
  .description('list the benchmarks')
  .action(() => {
    program.outputHelp();
  });
await program.parseAsync();
