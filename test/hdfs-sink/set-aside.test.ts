import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { CommitLog } from '../../streaming/sinks/hdfs/commit-log.ts';
import { takeOver } from '../../streaming/sinks/hdfs/ownership.ts';
import { publishDataFiles } from '../../streaming/sinks/hdfs/publication.ts';
import { SetAside } from '../../streaming/sinks/hdfs/set-aside.ts';
import { batchOf } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { filesBelow } from './master-data.ts';
import { TOPIC, WriterBed } from './writer-bed.ts';

const bed = new WriterBed();
const noPoint = (): void => undefined;
const envelopes = (count: number): string[] => Array.from({ length: count }, () => makeEnvelope());
const below = (path: string): string => `${bed.topicsDirectory}/${TOPIC}/${path}`;
const setAsideFiles = (): Promise<string[]> => filesBelow(bed.hdfs, bed.layout.setAsideRoot);

/** A writer, and how many files it says are set aside. */
function watchedWriter() {
  const counts: number[] = [];
  const writer = bed.writer({ onSetAside: (_topic, _partition, files) => counts.push(files) });
  return { writer, counts };
}

afterEach(() => bed.clear());
afterAll(() => bed.close());

describe('a committed range that HDFS will never let be published', () => {
  it.each([
    ['a name of more than 255 bytes', `unit=${'u'.repeat(300)}/dt=2026-01-01`],
    ['half a surrogate pair', 'unit=\ud800/dt=2026-01-01'],
    ['more than 8,000 characters', Array.from({ length: 40 }, () => 'd'.repeat(250)).join('/')],
  ])('because of %s is set aside whole, and all that comes after flows', async (_what, directory) => {
    const [bad, good, later] = [envelopes(20), envelopes(5), envelopes(3)];
    await bed.commitByHand([
      { path: below(`${directory}/${TOPIC}+0+0+19.json`), lines: bad },
      { path: below(`dt=2026-01-01/${TOPIC}+0+20+24.json`), lines: good },
    ]);
    const { writer, counts } = watchedWriter();
    expect(await writer.open()).toBe(25);
    expect(counts).toEqual([1]);
    await writer.process(batchOf(TOPIC, later, 25));
    await writer.close({ kind: 'stopped' });

    expect([...(await bed.masterData()).lines.keys()].sort()).toEqual([...good, ...later].sort());
    expect(await bed.temporaries()).toEqual([]);
    const [note] = await new SetAside(bed.hdfs, bed.layout).notes();
    expect(note).toMatchObject({
      topic: TOPIC,
      partition: 0,
      commit: { firstOffset: 0, lastOffset: 24 },
      file: { path: below(`${directory}/${TOPIC}+0+0+19.json`), records: 20, firstOffset: 0, lastOffset: 19 },
    });
    const kept = await bed.hdfs.readFile(note?.keptAt ?? '', { maxBytes: 1 << 20 });
    expect(kept.toString()).toBe(bad.map((value) => `${value}\n`).join(''));

    // It stays, and so does the alarm, until somebody has repaired it.
    const again = watchedWriter();
    expect(await again.writer.open()).toBe(28);
    expect(again.counts).toEqual([1]);
    await bed.hdfs.makeDirectory(below('repaired'));
    expect(await bed.hdfs.rename(note?.keptAt ?? '', below('repaired/by-hand.json'))).toBe(true);
    await bed.hdfs.delete(bed.layout.setAsideDirectory(0), { recursive: true });
    await again.writer.process(batchOf(TOPIC, envelopes(1), 28));
    await again.writer.close({ kind: 'stopped' });
    const last = watchedWriter();
    await last.writer.open();
    expect(last.counts).toEqual([0]);
    await last.writer.close({ kind: 'stopped' });
  });

  it('because something else lies there is set aside, and published when that is moved away', async () => {
    const values = envelopes(20);
    const path = below(`dt=2026-01-01/${TOPIC}+0+0+19.json`);
    await bed.commitByHand([{ path, lines: values }]);
    await bed.hdfs.writeFile(path, Buffer.from('something else\n'), { createParent: true });
    const { writer, counts } = watchedWriter();
    expect(await writer.open()).toBe(20);
    await writer.close({ kind: 'stopped' });
    expect(counts).toEqual([1, 0]);
    expect((await bed.hdfs.readFile(path, { maxBytes: 100 })).toString()).toBe('something else\n');

    await bed.hdfs.delete(path);
    const next = watchedWriter();
    expect(await next.writer.open()).toBe(20);
    expect(next.counts).toEqual([0]);
    await next.writer.close({ kind: 'stopped' });
    expect([...(await bed.masterData()).files]).toEqual([[path, values]]);
    expect(await setAsideFiles()).toEqual([]);
  });

  it('because a file has the name of its directory is set aside while the partition is owned', async () => {
    const values = [makeEnvelope({ createdAt: '1767225600' })];
    const { writer, counts } = watchedWriter();
    const blocked = bed.writer({
      onSetAside: (_topic, _partition, files) => counts.push(files),
      // Between the look at the directories and the publication, somebody puts a file in the way.
      onPoint(point) {
        if (point === 'commit-record-published') throw new GridError('hdfs-unavailable', 'killed for the test');
      },
    });
    await blocked.open();
    await blocked.process(batchOf(TOPIC, values));
    await blocked.close({ kind: 'stopped' });
    await bed.hdfs.delete(below('dt=2026-01-01'), { recursive: true });
    await bed.hdfs.writeFile(below('dt=2026-01-01'), Buffer.from('in the way\n'));

    expect(await writer.open()).toBe(1);
    await writer.process(batchOf(TOPIC, [makeEnvelope({ createdAt: '1767312000' })], 1));
    expect(counts).toEqual([0, 0, 1]);
    await bed.hdfs.delete(below('dt=2026-01-01'));
    await writer.close({ kind: 'stopped' });
    const next = watchedWriter();
    await next.writer.open();
    await next.writer.close({ kind: 'stopped' });
    expect(next.counts).toEqual([0, 0]);
    expect((await bed.masterData()).files.get(below(`dt=2026-01-01/${TOPIC}+0+0+0.json`))).toEqual(values);
  });

  it('because its file is gone is told of, with the offsets to read again, and counts until it is restored', async () => {
    const values = envelopes(4);
    const path = below(`dt=2026-01-01/${TOPIC}+0+0+3.json`);
    const { temporaryPath } = await bed.commitByHand([{ path, lines: values }]);
    const bytes = await bed.hdfs.readFile(temporaryPath, { maxBytes: 1 << 20 });
    await bed.hdfs.delete(temporaryPath);
    const { writer, counts } = watchedWriter();
    expect(await writer.open()).toBe(4);
    await writer.close({ kind: 'stopped' });
    expect(counts).toEqual([1, 0]);
    expect(await new SetAside(bed.hdfs, bed.layout).notes()).toMatchObject([
      { keptAt: null, file: { firstOffset: 0, lastOffset: 3 } },
    ]);

    await bed.hdfs.writeFile(path, bytes, { createParent: true });
    const next = watchedWriter();
    await next.writer.open();
    await next.writer.close({ kind: 'stopped' });
    expect(next.counts).toEqual([0, 0]);
  });

  it('is not set aside by an owner that was fenced: whoever fenced it has the file', async () => {
    const { record, temporaryPath } = await bed.commitByHand([
      { path: below(`dt=2026-01-01/${TOPIC}+0+0+3.json`), lines: envelopes(4) },
    ]);
    const log = new CommitLog(bed.hdfs, bed.layout, noPoint);
    // Another takes over, and has moved the file out of reach.
    await bed.hdfs.rename(bed.layout.ownerDirectory(record.owner), `${bed.topicsDirectory}/elsewhere`);
    await expect(publishDataFiles(bed.hdfs, bed.layout, record, record.owner, noPoint)).rejects.toMatchObject({
      code: 'fenced',
    });
    expect(await setAsideFiles()).toEqual([]);
    // It gives the directory back, as its own fenced one: the next owner publishes.
    await bed.hdfs.rename(`${bed.topicsDirectory}/elsewhere`, bed.layout.fencedDirectory(record.owner));
    const owner = await takeOver(bed.hdfs, bed.layout, log, noPoint);
    expect([owner.nextOffset, owner.alarms]).toEqual([4, []]);
    expect(await bed.hdfs.status(temporaryPath)).toBeUndefined();
  });

  it('is found by the next owner when the first was killed before it could note why', async () => {
    const values = envelopes(4);
    const path = below(`unit=${'u'.repeat(300)}/${TOPIC}+0+0+3.json`);
    const { temporaryPath } = await bed.commitByHand([{ path, lines: values }]);
    await bed.hdfs.makeDirectory(bed.layout.setAsideDirectory(0));
    await bed.hdfs.rename(temporaryPath, bed.layout.setAsideFile(0, temporaryPath));
    const { writer, counts } = watchedWriter();
    expect(await writer.open()).toBe(4);
    expect(counts).toEqual([1]);
    await writer.close({ kind: 'stopped' });
    expect(await new SetAside(bed.hdfs, bed.layout).notes()).toMatchObject([
      { keptAt: bed.layout.setAsideFile(0, temporaryPath), file: { path } },
    ]);
  });
});
