import { randomUUID } from 'node:crypto';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { ConsumedBatch } from '../../connectors/kafka/consume/consumed.ts';
import { asGridError } from '../../grid/errors.ts';
import { loadConfig } from '../../runtime/config.ts';
import { CommitLog } from '../../streaming/sinks/hdfs/commit-log.ts';
import type { CommitRecord, CommittedFile } from '../../connectors/hdfs/commit-log/commit-record.ts';
import { PartitionLayout } from '../../connectors/hdfs/commit-log/layout.ts';
import { takeOver } from '../../streaming/sinks/hdfs/ownership.ts';
import { PartitionWriter, type PartitionWriterOptions } from '../../streaming/sinks/hdfs/partition-writer.ts';
import { readingPlacer } from '../../streaming/sinks/hdfs/placement.ts';
import { WriteBudget } from '../../streaming/sinks/hdfs/write-budget.ts';
import { contextOf, LIMITS, routesOf, SILENT, type TestContext } from '../support/partitions.ts';
import { filesBelow, readCommits, readMasterData, type MasterData } from './master-data.ts';

export const TOPIC = 'READINGS';
const HOUR_MS = 3_600_000;

/** A directory of its own in the shared HDFS, and writers for a partition in it. */
export class WriterBed {
  readonly hdfs = new HdfsClient({ nameNodeUrls: loadConfig().WEBHDFS_URL, user: 'powergrid' });
  readonly topicsDirectory = `/test/${randomUUID()}`;
  readonly layout = new PartitionLayout(this.topicsDirectory, TOPIC, 0);

  /** A writer that commits only when told to, unless the options say otherwise. */
  writer(
    options: Partial<PartitionWriterOptions> = {},
    context: TestContext = contextOf('test', TOPIC),
  ): PartitionWriter {
    return new PartitionWriter(context, {
      hdfs: this.hdfs,
      topicsDirectory: this.topicsDirectory,
      placer: readingPlacer(routesOf(), LIMITS),
      budget: new WriteBudget({ bufferBytes: 32 << 20, openFiles: 64 }),
      rotateBytes: 1 << 30,
      rotateAgeMs: HOUR_MS,
      checkpointCommits: 1_000,
      logger: SILENT,
      ...options,
    });
  }

  /**
   * What an owner leaves that wrote its files and committed their range, and was killed before it could publish them: consecutive
   * records from offset 0, in files of these paths.
   */
  async commitByHand(
    files: readonly { readonly path: string; readonly lines: readonly string[] }[],
  ): Promise<{ readonly record: CommitRecord; readonly temporaryPath: string }> {
    const log = new CommitLog(this.hdfs, this.layout, () => undefined);
    const { owner } = await takeOver(this.hdfs, this.layout, log, () => undefined);
    const committed: CommittedFile[] = [];
    let nextOffset = 0;
    for (const { path, lines } of files) {
      const temporaryPath = `${this.layout.ownerDirectory(owner)}/data-0-${committed.length + 1}`;
      const written = await this.hdfs.writeFile(temporaryPath, Buffer.from(lines.map((line) => `${line}\n`).join('')));
      committed.push({
        temporaryPath,
        path,
        lengthBytes: written.lengthBytes,
        checksum: written.checksum,
        records: lines.length,
        firstOffset: nextOffset,
        lastOffset: nextOffset + lines.length - 1,
        eventTimeMinMs: 0,
        eventTimeMaxMs: 0,
      });
      nextOffset += lines.length;
    }
    const record: CommitRecord = {
      version: 1,
      topic: TOPIC,
      partition: 0,
      firstOffset: 0,
      lastOffset: nextOffset - 1,
      records: nextOffset,
      unreadable: 0,
      notRouted: 0,
      missing: 0,
      expired: 0,
      owner,
      committedAt: new Date().toISOString(),
      files: committed,
    };
    await log.write(record, owner);
    await log.publish(record, owner);
    return { record, temporaryPath: committed[0]?.temporaryPath ?? '' };
  }

  masterData(): Promise<MasterData> {
    return readMasterData(this.hdfs, this.topicsDirectory, TOPIC);
  }

  async commits() {
    return (await readCommits(this.hdfs, this.topicsDirectory, TOPIC, 1))[0] ?? [];
  }

  temporaries(): Promise<string[]> {
    return filesBelow(this.hdfs, `${this.topicsDirectory}/.tmp`);
  }

  async clear(): Promise<void> {
    await this.hdfs.delete(this.topicsDirectory, { recursive: true });
  }

  async close(): Promise<void> {
    await this.clear();
    await this.hdfs.close();
  }
}

/** Reads a partition to its end as the consumer does: after a failure it opens a new writer and goes on where that says. */
export async function writeAll(
  makeWriter: () => PartitionWriter,
  batchFrom: (offset: number) => ConsumedBatch | undefined,
  maxTries = 200,
): Promise<number> {
  let tries = 0;
  for (; tries < maxTries; tries++) {
    const writer = makeWriter();
    try {
      let offset = await writer.open();
      for (let batch = batchFrom(offset); batch !== undefined; batch = batchFrom(offset)) {
        await writer.process(batch);
        offset = batch.nextOffset;
      }
      const before = offset;
      await writer.close({ kind: 'stopped' });
      const check = makeWriter();
      const committed = await check.open();
      await check.close({ kind: 'stopped' });
      if (committed >= before) return tries;
    } catch (error) {
      await writer.close({ kind: 'failed', error: asGridError(error, 'Writing in the test') });
    }
  }
  throw new Error(`not done after ${tries} tries`);
}
