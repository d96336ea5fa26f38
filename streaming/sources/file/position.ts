import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';

const filePosition = z.object({
  row: z.int().min(1),
  byte: z.int().min(0),
  latestMs: z.number().nullable(),
});

const replayPosition = z.object({
  version: z.literal(1),
  dataset: z.string(),
  timestamps: z.enum(['original', 'shifted']),
  /** Added to every event time of the first pass, whole seconds. */
  shiftSeconds: z.int(),
  /** How many times the whole series was replayed. */
  pass: z.int().min(0),
  /** Whether it is all replayed and not to be repeated. */
  complete: z.boolean(),
  /** By path as in the mapping; files not yet begun are not in it. `header` tells another file of that name apart. */
  files: z.record(z.string(), filePosition.extend({ header: z.string() })),
});

/** How far a replay has come: all before it was acknowledged by Kafka. */
export type ReplayPosition = z.output<typeof replayPosition>;

/**
 * Reads a state file; undefined when there is none.
 *
 * @throws GridError `invalid-configuration` when it is none of ours: starting over in silence would send everything again.
 */
export async function loadPosition(path: string): Promise<ReplayPosition | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw stateError(path, 'Reading', error);
  }
  try {
    return replayPosition.parse(JSON.parse(text));
  } catch (error) {
    throw stateError(path, 'Reading', error);
  }
}

/** Replaces a state file in one step: after a crash it holds the old position or the new one, never half of one. */
export async function savePosition(path: string, position: ReplayPosition): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(`${JSON.stringify(position)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw stateError(path, 'Writing', error);
  }
}

function stateError(path: string, doing: string, error: unknown): GridError {
  const detail =
    error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
  return new GridError(
    'invalid-configuration',
    `${doing} the position of the file source in ${path}: ${detail}. Make the file and its folder writable, name another one in FILE_SOURCE_STATE_FILE, or delete it to replay from the beginning.`,
    { cause: error },
  );
}
