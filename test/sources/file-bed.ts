import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach } from 'vitest';
import type { ProducedRecord } from '../../connectors/kafka/produce/record-producer.ts';
import { decodeEnvelope } from '../../grid/envelope.ts';
import type { Reading } from '../../grid/reading.ts';
import type { FileSourceOptions } from '../../streaming/sources/file/file-source.ts';
import { parseMapping } from '../../streaming/sources/file/mapping.ts';
import { openFileSource, type OpenedFileSource } from '../../streaming/sources/file/open-file-source.ts';
import type { SourceBatch } from '../../streaming/sources/pacing/paced-source.ts';

export const NOW_MS = Date.UTC(2024, 5, 1, 12);
let directory = '';
/** What was logged, from warnings on. */
export const told: string[] = [];
const logger = pino({ level: 'warn' }, { write: (line) => void told.push((JSON.parse(line) as { msg: string }).msg) });

/** To be called by each file of tests, since this module is loaded but once for all of a process. */
export function useFileBed(): void {
  beforeEach(async () => {
    told.length = 0;
    directory = await mkdtemp(join(tmpdir(), 'file-source-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
}

export async function open(mapping: object, changed: Partial<FileSourceOptions> = {}): Promise<OpenedFileSource> {
  return openFileSource({
    mapping: parseMapping({ dataset: 'test', ...mapping }, 'test'),
    directory,
    readingsTopic: 'readings',
    unorganizedTopic: 'text',
    speed: 0,
    timestamps: 'original',
    loop: false,
    maxAheadMs: 3_600_000,
    logger,
    now: () => NOW_MS,
    ...changed,
  });
}

export const put = (name: string, content: string | Buffer) => writeFile(join(directory, name), content);

export interface Taken {
  readonly readings: readonly Reading[];
  readonly text: readonly ProducedRecord[];
  readonly records: readonly ProducedRecord[];
}

/** Takes all there is, acknowledging each batch. */
export async function drain(
  { source }: OpenedFileSource,
  untilMs = Infinity,
  batchRecords = 3,
  batches = Infinity,
): Promise<Taken> {
  const records: ProducedRecord[] = [];
  const text: ProducedRecord[] = [];
  for (let i = 0; i < batches; i += 1) {
    const taken = await source.take(untilMs, batchRecords);
    if (taken.kind !== 'batch') break;
    collect(taken.batch, records, text);
    taken.batch.onAcknowledged?.();
  }
  return { readings: records.map(decode), text, records };
}

function collect(batch: SourceBatch, records: ProducedRecord[], text: ProducedRecord[]): void {
  for (const send of batch.sends) (send.topic === 'readings' ? records : text).push(...send.records);
}

function decode({ value }: ProducedRecord): Reading {
  const decoded = decodeEnvelope(Buffer.from(value ?? ''), NOW_MS, { maxBytes: 65_536, maxAheadMs: 3_600_000 });
  if (!decoded.ok) throw new Error(decoded.rejection.message);
  return decoded.reading;
}

export const wide = (path: string, more: object = {}) => ({
  layout: 'wide',
  path,
  unit: 'MW',
  time: { column: 'time' },
  ...more,
});

/** A file's place in the folder of this test. */
export const pathOf = (name: string): string => join(directory, name);
