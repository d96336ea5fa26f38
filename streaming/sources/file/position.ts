import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { readJsonFile } from '../../../runtime/json-file.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { TimeRange } from './row-readings.ts';

/** Part of a file that was gone through: its rows of a range up to a place are sent. */
export interface Sweep {
  readonly range: TimeRange;
  /** Where it ended, bytes. */
  readonly byte: number;
  /** Of the text before that place; null when it is not known. */
  readonly fingerprint: () => Fingerprint | null;
}

/** How far a file was read in the range of the replay. */
export interface FilePosition {
  /** The file's header line: another one is another file. */
  readonly header: string;
  /** Number of the line in which reading goes on. */
  readonly row: number;
  /** Where that is, bytes; within the line if its end was not seen. */
  readonly byte: number;
  /** The latest event time before it, epoch milliseconds; null before the first. */
  readonly latestMs: number | null;
  /** Of the text before that place; null when it is not known. */
  readonly fingerprint: () => Fingerprint | null;
  /** What was sent in other ranges before. */
  readonly earlier: readonly Sweep[];
}

/** How far a replay has come: all before it was acknowledged by Kafka. */
export interface ReplayPosition {
  readonly dataset: string;
  readonly timestamps: 'original' | 'shifted';
  /** Added to every event time of the first pass, whole seconds. */
  readonly shiftSeconds: number;
  /** How many times the whole series was replayed. */
  readonly pass: number;
  /** Length of those passes together, whole seconds; undefined when it is not known. */
  readonly passedSeconds: number | undefined;
  /** Only readings of this range are sent; undefined when it is not known. */
  readonly range: TimeRange | undefined;
  /** By path as in the mapping; files not yet begun are not in it. */
  readonly files: ReadonlyMap<string, FilePosition>;
  /** All that the files held was sent; how far they reached then was not kept. */
  readonly isUnboundedEnd: boolean;
}

/** More changes of the range than anybody makes. */
export const SWEEPS_KEPT = 100;
const fingerprint = z.object({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullable();
const range = z.object({ fromMs: z.number().nullable(), toMs: z.number().nullable() });
const place = z.object({
  row: z.int().min(1),
  byte: z.int().min(0),
  latestMs: z.number().nullable(),
  header: z.string(),
});
const common = {
  dataset: z.string(),
  timestamps: z.enum(['original', 'shifted']),
  shiftSeconds: z.int(),
  pass: z.int().min(0),
};
const versions = z.discriminatedUnion('version', [
  /** Without the range, and without the files once all was sent. */
  z.object({ version: z.literal(1), ...common, complete: z.boolean(), files: z.record(z.string(), place) }),
  z.object({
    version: z.literal(2),
    ...common,
    passedSeconds: z.int().min(0),
    range,
    files: z.array(
      place.extend({
        path: z.string(),
        fingerprint,
        earlier: z.array(z.object({ range, byte: z.int().min(0), fingerprint })).max(SWEEPS_KEPT),
      }),
    ),
  }),
]);
type Saved = z.output<typeof versions>;
type SavedNow = Extract<Saved, { version: 2 }>;

/**
 * Reads a state file; undefined when there is none.
 *
 * @throws GridError `invalid-configuration` when it is none of ours: starting over in silence would send everything again.
 */
export async function loadPosition(path: string): Promise<ReplayPosition | undefined> {
  const about = { code: 'invalid-configuration', attempt: attempt(path, 'Reading'), advice: ADVICE } as const;
  let json: unknown;
  try {
    json = await readJsonFile(path, about);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw error;
  }
  const saved = versions.safeParse(json);
  if (saved.success) return fromSaved(saved.data);
  throw new GridError(about.code, `${about.attempt}: ${z.prettifyError(saved.error)}. ${ADVICE}`, {
    cause: saved.error,
  });
}

/** Replaces a state file in one step: after a crash it holds the old position or the new one, never half of one. */
export async function savePosition(path: string, position: ReplayPosition): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(`${JSON.stringify(toSaved(position))}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const detail = error instanceof Error ? error.message : String(error);
    throw new GridError('invalid-configuration', `${attempt(path, 'Writing')}: ${detail}. ${ADVICE}`, { cause: error });
  }
}

function fromSaved(saved: Saved): ReplayPosition {
  const { dataset, timestamps, shiftSeconds, pass } = saved;
  // It then also counted the pass that had ended, though no other was to follow.
  const isUnboundedEnd = saved.version === 1 && saved.complete;
  const files = new Map<string, FilePosition>(
    saved.version === 1
      ? Object.entries(saved.files).map(([name, file]) => [name, { ...file, fingerprint: () => null, earlier: [] }])
      : saved.files.map(({ path, ...file }) => [
          path,
          {
            ...file,
            fingerprint: () => file.fingerprint,
            earlier: file.earlier.map((sweep) => ({
              range: timeRange(sweep.range),
              byte: sweep.byte,
              fingerprint: () => sweep.fingerprint,
            })),
          },
        ]),
  );
  return {
    ...{ dataset, timestamps, shiftSeconds, files },
    pass: isUnboundedEnd ? Math.max(0, pass - 1) : pass,
    passedSeconds: saved.version === 1 ? undefined : saved.passedSeconds,
    range: saved.version === 1 ? undefined : timeRange(saved.range),
    isUnboundedEnd,
  };
}

function toSaved({ dataset, timestamps, shiftSeconds, pass, passedSeconds, range, files }: ReplayPosition): SavedNow {
  return {
    ...{ version: 2, dataset, timestamps, shiftSeconds, pass, passedSeconds: passedSeconds ?? 0 },
    range: savedRange(range ?? { fromMs: -Infinity, toMs: Infinity }),
    files: [...files].map(([name, file]) => ({
      ...{ path: name, row: file.row, byte: file.byte, latestMs: file.latestMs, header: file.header },
      fingerprint: file.fingerprint(),
      earlier: file.earlier.map((sweep) => ({
        range: savedRange(sweep.range),
        byte: sweep.byte,
        fingerprint: sweep.fingerprint(),
      })),
    })),
  };
}

function timeRange({ fromMs, toMs }: z.output<typeof range>): TimeRange {
  return { fromMs: fromMs ?? -Infinity, toMs: toMs ?? Infinity };
}

function savedRange({ fromMs, toMs }: TimeRange): z.output<typeof range> {
  return { fromMs: Number.isFinite(fromMs) ? fromMs : null, toMs: Number.isFinite(toMs) ? toMs : null };
}

const ADVICE =
  'Make the file and its folder writable, name another one in FILE_SOURCE_STATE_FILE, or delete it to replay from the beginning.';

function attempt(path: string, doing: 'Reading' | 'Writing'): string {
  return `${doing} the position of the file source in ${path}`;
}
