import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { readCommitLog } from '../../connectors/hdfs/commit-log/read.ts';
import type { CommitRecord } from '../../connectors/hdfs/commit-log/commit-record.ts';
import { PartitionLayout } from '../../connectors/hdfs/commit-log/layout.ts';

/** What lies in HDFS for a topic, found by walking its directories as any reader would. */
export interface MasterData {
  /** Line → how often it lies in a published file. */
  readonly lines: ReadonlyMap<string, number>;
  /** Path → its lines. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

const MAX_FILE_BYTES = 512 * 1024 * 1024;

/** Reads every published file of the topic: all but what is under `_commits`. */
export async function readMasterData(hdfs: HdfsClient, topicsDirectory: string, topic: string): Promise<MasterData> {
  const lines = new Map<string, number>();
  const files = new Map<string, readonly string[]>();
  for (const path of await filesBelow(hdfs, `${topicsDirectory}/${topic}`)) {
    if (path.includes('/_commits/')) continue;
    const text = (await hdfs.readFile(path, { maxBytes: MAX_FILE_BYTES })).toString('utf8');
    if (!text.endsWith('\n')) throw new Error(`${path} does not end with a line feed`);
    const fileLines = text.slice(0, -1).split('\n');
    files.set(path, fileLines);
    for (const line of fileLines) lines.set(line, (lines.get(line) ?? 0) + 1);
  }
  return { lines, files };
}

export async function filesBelow(hdfs: HdfsClient, directory: string): Promise<string[]> {
  if ((await hdfs.status(directory)) === undefined) return [];
  const found: string[] = [];
  for await (const status of hdfs.list(directory)) {
    if (status.type === 'directory') found.push(...(await filesBelow(hdfs, status.path)));
    else found.push(status.path);
  }
  return found;
}

/** The commit log of every partition, oldest record first. */
export async function readCommits(
  hdfs: HdfsClient,
  topicsDirectory: string,
  topic: string,
  partitions: number,
): Promise<CommitRecord[][]> {
  const logs: CommitRecord[][] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const layout = new PartitionLayout(topicsDirectory, topic, partition);
    const log: CommitRecord[] = [];
    if ((await hdfs.status(layout.commitsDirectory)) !== undefined) {
      for await (const record of readCommitLog(hdfs, layout)) log.push(record);
    }
    logs.push(log);
  }
  return logs;
}
