import { GridError } from '../../grid/errors.ts';
import type { BatchRequest, WrittenBatch } from '../../workflows/compaction/contract.ts';
import { addFigures, areEqual, figuresOf, NO_FIGURES, sumText, type DayFigures } from '../readings/day-figures.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { readManifest, writeManifest } from '../readings/manifest.ts';
import { ReadingsDirectory } from '../readings/readings-directory.ts';
import { executeRepeatable } from '../readings/repeatable.ts';
import {
  CompactionDirectory,
  compactionManifest,
  type CompactedDay,
} from '../readings/snapshot/compaction-manifest.ts';
import {
  compactStatement,
  dropWritingStatements,
  figuresQuery,
  figuresTableStatement,
  keptQuery,
  writtenTableStatement,
  type DaysToWrite,
} from './statements.ts';
import { CompactionWork, newTry, planFile, readFile } from './work-files.ts';

/**
 * Writes a batch of days: what was compacted of them and what has come, each reading once, sorted by sensor and time. Each day is read back and must
 * hold what was to be kept, and kept and dropped readings together what was there and has come, to the last digit. Begun anew by whoever tries it again.
 *
 * @throws GridError `hdfs-verification-failed`
 */
export async function compactDays(
  deps: ReadingsDependencies,
  { run: { id }, batch }: BatchRequest,
  signal: AbortSignal,
): Promise<WrittenBatch> {
  const { hdfs, hive, workDatabase } = deps;
  const call = { signal };
  const work = new CompactionWork(deps, id);
  const writing = newTry();
  const { basedOn } = await readManifest(hdfs, work.plan, planFile);
  const { batches, segment } = await readManifest(hdfs, work.read, readFile);
  const come = batches[batch] ?? [];
  const before = new Map((await daysOf(deps, basedOn)).map((day) => [day.day, day.figures]));
  const toWrite: DaysToWrite = {
    names: deps,
    segment: `${id}_${segment}`,
    writing: `${id}_${writing}`,
    basedOn,
    days: come.map(({ day, figures }) => ({
      day,
      readings: figures.readings + (before.get(day)?.readings ?? 0),
      isThere: before.has(day),
    })),
  };
  await hive.execute(writtenTableStatement(workDatabase, toWrite.writing, work.days(writing)), call);
  await hive.execute(figuresTableStatement(workDatabase, toWrite.writing, work.figuresDirectory(writing)), call);
  await executeRepeatable(hive, compactStatement(toWrite), signal);
  const kept = new Map<string, DayFigures>();
  const dropped = new Map<string, DayFigures>();
  for (const [day, isKept, ...figures] of await hive.rows(figuresQuery(workDatabase, toWrite.writing), call)) {
    (isKept === 'true' ? kept : dropped).set(day ?? '', figuresOf(figures));
  }
  const written = new Map(
    (await hive.rows(keptQuery(toWrite), call)).map(([day, ...figures]) => [day ?? '', figuresOf(figures)]),
  );
  const days: CompactedDay[] = [];
  let duplicates = 0;
  for (const { day, figures } of come) {
    const shall = addFigures(before.get(day) ?? NO_FIGURES, figures);
    const [keptOfDay, droppedOfDay] = [kept.get(day) ?? NO_FIGURES, dropped.get(day) ?? NO_FIGURES];
    if (!areEqual(addFigures(keptOfDay, droppedOfDay), shall))
      throw mismatch(day, 'read', shall, addFigures(keptOfDay, droppedOfDay));
    const is = written.get(day) ?? NO_FIGURES;
    if (!areEqual(is, keptOfDay)) throw mismatch(day, 'written', keptOfDay, is);
    duplicates += droppedOfDay.readings;
    const directory = `${work.days(writing)}/event_day=${day}`;
    const files: { name: string; lengthBytes: number }[] = [];
    for await (const { name, type, lengthBytes } of hdfs.list(directory)) {
      if (type === 'file' && !/^[._]/.test(name)) files.push({ name, lengthBytes });
    }
    days.push({ day, directory, files, figures: is });
  }
  for (const statement of dropWritingStatements(workDatabase, toWrite.writing)) await hive.execute(statement, call);
  await writeManifest(hdfs, work.batch(batch), { days, duplicates });
  return { days: days.length };
}

/** Days of a compaction. */
export async function daysOf(deps: ReadingsDependencies, compaction: string | null): Promise<readonly CompactedDay[]> {
  if (compaction === null) return [];
  const { manifest } = new CompactionDirectory(new ReadingsDirectory(deps).compaction(compaction));
  return (await readManifest(deps.hdfs, manifest, compactionManifest)).days;
}

function mismatch(day: string, what: 'read' | 'written', shall: DayFigures, is: DayFigures): GridError {
  const told = ({ readings, sum, checksum }: DayFigures): string =>
    `${readings} readings, sum ${sumText(sum)}, checksum ${checksum}`;
  return new GridError(
    'hdfs-verification-failed',
    `Compacting the readings of ${day}: ${told(is)} were ${what}, and it should be ${told(shall)}. Nothing was published; the day is written again.`,
  );
}
