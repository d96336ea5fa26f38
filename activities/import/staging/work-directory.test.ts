import { describe, expect, it } from 'vitest';
import { chooseRecords, isInPlace, type SplitRecord } from './work-directory.ts';

const snapshot = { id: 's2', position: '20:20:', takenAt: '2026-01-02T00:00:00Z' };
const atFirst = { snapshotId: 's1', position: '10:10:', takenAt: '2026-01-01T00:00:00Z' };
const atSecond = { snapshotId: snapshot.id, position: snapshot.position, takenAt: snapshot.takenAt };
const record = (fileId: number | undefined, at = atSecond): SplitRecord => ({
  split: 0,
  ...at,
  rows: fileId === undefined ? 0 : 5,
  textBytes: fileId === undefined ? 0 : 50,
  fileBytes: fileId === undefined ? 0 : 30,
  digest: fileId === undefined ? '' : '0'.repeat(32),
  verified: true,
  ...(fileId === undefined ? {} : { fileId }),
});
const files = (fileId: number, lengthBytes = 30) => new Map([[0, { fileId, lengthBytes }]]);

describe('of several records of a split', () => {
  it('the one whose file is there counts, however old', () => {
    const records = [record(2, atSecond), record(1, atFirst)];
    expect(chooseRecords(records, files(1), snapshot).get(0)).toEqual(record(1, atFirst));
  });

  it('whose file is there the one at the snapshot counts, in whatever order they come', () => {
    const records = [record(1, atSecond), record(1, atFirst)];
    expect(chooseRecords(records, files(1), snapshot).get(0)).toEqual(record(1, atSecond));
    expect(chooseRecords(records.toReversed(), files(1), snapshot).get(0)).toEqual(record(1, atSecond));
    const first = { id: atFirst.snapshotId, position: atFirst.position, takenAt: atFirst.takenAt };
    expect(chooseRecords(records, files(1), first).get(0)).toEqual(record(1, atFirst));
  });

  it('that say that there are no rows one counts only while no file is there', () => {
    expect(isInPlace(record(undefined), new Map())).toBe(true);
    expect(isInPlace(record(undefined), files(1))).toBe(false);
  });

  it('none is in place when the file has another length or inode, or is gone', () => {
    expect(isInPlace(record(1), files(1))).toBe(true);
    expect(isInPlace(record(1), files(1, 31))).toBe(false);
    expect(isInPlace(record(1), files(2))).toBe(false);
    expect(isInPlace(record(1), new Map())).toBe(false);
  });
});
