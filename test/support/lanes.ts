import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that run with nothing beside them: they need most of the machine, or measure what it does. All others run side by side
 * at the same servers, so their topics, directories, databases, keys, queues and ports are their own.
 */
export const ALONE: readonly string[] = present([
  // Every server and every worker of `npm start`.
  'test/start/start.test.ts',
  // Measures memory while one worker has all processors.
  'test/backlog/backlog.test.ts',
]);

/** Files that take longest, longest first: begun early, so that none is left over at the end. */
const LONG: readonly string[] = present([
  'test/lambda/batch-and-speed.test.ts',
  'test/views/build-views.test.ts',
  'test/hdfs-sink/exactly-once.test.ts',
  // Hive runs on one core at most of the time: of what it is asked most, not all is asked at once.
  'test/router/killed-workers.test.ts',
  'test/compaction/compact-readings.test.ts',
  'test/sources/file-source.test.ts',
  'test/import-under-fire/import-under-fire.test.ts',
  'test/compaction/streaming.test.ts',
  'test/tables/build-hive-tables.test.ts',
  'test/publish/publication-steps.test.ts',
  'test/batch-worker/temporal-worker.test.ts',
  'test/stack/life-of-a-stack.test.ts',
  'test/ingest/outage.test.ts',
  'test/serving/api.test.ts',
  'test/import/bring-splits.test.ts',
  'test/hdfs-sink/partition-writer.test.ts',
]);

/** Two private stacks beside the shared one fit into this, a third test file does not. */
const MEMORY_OF_TWO_LANES_BYTES = 8 * 2 ** 30;

/** How many test files of the `stack` project run at once; `TEST_LANES` sets it. They wait for servers more than they compute. */
export function laneCount(): number {
  const wanted = Number(process.env['TEST_LANES'] ?? '');
  if (Number.isInteger(wanted) && wanted > 0) return wanted;
  return totalmem() > MEMORY_OF_TWO_LANES_BYTES ? Math.min(3, availableParallelism() + 1) : 2;
}

/** A file that was renamed must not lose its place without a word. */
function present(files: readonly string[]): readonly string[] {
  const gone = files.filter((file) => !existsSync(new URL(`../../${file}`, import.meta.url)));
  if (gone.length > 0) throw new Error(`test/support/lanes.ts names ${gone.join(', ')}, which is not there`);
  return files;
}

/** Vitest's own order, but for the files that are known to be long. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONG.indexOf(relative(this.ctx.config.root, moduleId));
      return place === -1 ? LONG.length : place;
    };
    const group = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    return sorted.sort((one, other) => group(one) - group(other) || rank(one) - rank(other));
  }
}
