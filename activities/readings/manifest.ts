import type { z } from 'zod';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../grid/errors.ts';

/** A compaction of ten thousand days has some megabytes. */
const MOST_BYTES = 256 << 20;

/** Reads a JSON file that the project has written. @throws GridError `hdfs-not-found`; `defect` when it is something else */
export async function readManifest<T extends z.ZodType>(
  hdfs: HdfsClient,
  path: string,
  schema: T,
): Promise<z.output<T>> {
  const bytes = await hdfs.readFile(path, { maxBytes: MOST_BYTES });
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw new GridError(
      'defect',
      `Reading ${path}: it is not what the tables of readings are described by. Was it changed by hand? Restore it.`,
      { cause: error },
    );
  }
}

export async function writeManifest(hdfs: HdfsClient, path: string, content: unknown): Promise<void> {
  await hdfs.writeFile(path, Buffer.from(JSON.stringify(content)), { createParent: true, overwrite: true });
}
