import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { isSparkInstalled } from './infra/native/servers/spark.ts';
import { settingsFromConfig } from './infra/native/settings.ts';
import { ALONE, laneCount, LongFirst } from './test/support/lanes.ts';

/** What a test is given at most. They wait for states, never for times, so that only a test that hangs comes to this. */
const STACK = {
  globalSetup: ['test/support/stack-up.ts'],
  testTimeout: 600_000,
  hookTimeout: 900_000,
  expect: { poll: { timeout: 180_000, interval: 100 } },
};

const stack = settingsFromConfig();
/** Suites whose SQL runs on Spark as well. */
const ON_SPARK = ['test/{words,views}/**/*.test.ts'];
const sparkIsWanted = process.env['TEST_SPARK'] === 'on' || isSparkInstalled(stack);

/**
 * Three projects, one after the other. `unit` needs no server and runs in seconds. The others run against the real servers of the
 * native stack, which their global set-up brings up when they are down: `stack` several files at once, `stack-alone` one by one.
 * Where Spark is installed, a fourth runs what is SQL over HDFS against its Thrift server.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['*/**/*.test.ts'],
          exclude: ['{test,node_modules,.stack}/**'],
          // They take milliseconds; a machine that is busy otherwise must not fail them.
          testTimeout: 60_000,
          // Loading the modules costs more than the tests, so the files of a process share them.
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...STACK,
          name: 'stack',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE],
          maxWorkers: laneCount(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { ...STACK, name: 'stack-alone', include: [...ALONE], maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
      ...(sparkIsWanted
        ? [
            {
              test: {
                ...STACK,
                name: 'spark',
                globalSetup: ['test/support/spark-up.ts'],
                include: ON_SPARK,
                env: { HIVE_URL: `hive2://localhost:${stack.ports.spark}` },
                maxWorkers: 1,
                sequence: { groupOrder: 3 },
              },
            },
          ]
        : []),
    ],
  },
});
