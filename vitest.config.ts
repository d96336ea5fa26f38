import { defineConfig } from 'vitest/config';

/**
 * Two projects: `unit` needs no server and runs in seconds; `stack` runs against the real servers of the native stack,
 * which its global set-up brings up when they are down.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{grid,runtime,connectors,streaming,workflows,activities,workers,cli,infra,bench}/**/*.test.ts'],
          environment: 'node',
          // They take milliseconds; a machine that is busy otherwise must not fail them.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/**/*.test.ts'],
          environment: 'node',
          globalSetup: ['test/support/stack-up.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
