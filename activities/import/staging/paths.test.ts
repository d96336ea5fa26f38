import { describe, expect, it } from 'vitest';
import { encodeHdfsPath } from '../../../connectors/hdfs/path.ts';
import { partFile, runDirectory, splitOfFile, tableSegment, workRoot } from './paths.ts';

describe('the directory of a table', () => {
  it('is named as people write the table', () => {
    expect(tableSegment({ schema: 'public', name: 'readings' })).toBe('public.readings');
    expect(runDirectory('/imports', 'postgres', { schema: 'public', name: 'Übertrag 1' }, 'r')).toBe(
      '/imports/postgres/public.Übertrag 1/run=r',
    );
    expect(workRoot('/i', { source: 'sqlserver', runId: 'r' }, { schema: 'dbo', name: 't' })).toBe(
      '/i/.tmp/sqlserver/dbo.t/r',
    );
  });

  it('is another one for each table, dots or not', () => {
    const segments = [
      { schema: 'a', name: 'b.c' },
      { schema: 'a.b', name: 'c' },
      { schema: 'a%2Eb', name: 'c' },
    ].map(tableSegment);
    expect(new Set(segments).size).toBe(3);
  });

  it.each(['a/b', '..', '.', 'a:b', 'tab\there', 'quote\'"`', '{x}[y]', '%', '\\', 'πολύ', '🌩'])(
    'can be made of the name %j',
    (name) => {
      expect(() => encodeHdfsPath(`/${tableSegment({ schema: name, name })}`)).not.toThrow();
      expect(tableSegment({ schema: name, name })).not.toContain('/');
    },
  );

  it('is short enough for HDFS, and still another one for each table', () => {
    const names = ['%', 'ä', '🌩', 'x'].flatMap((character) => [
      `${character.repeat(128)}1`,
      `${character.repeat(128)}2`,
    ]);
    const segments = names.map((name) => tableSegment({ schema: 'dbo', name }));
    expect(new Set(segments).size).toBe(names.length);
    for (const segment of segments) {
      expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(200);
      expect(segment).not.toMatch(/\uFFFD|%.?~/);
      expect(() => encodeHdfsPath(`/${segment}`)).not.toThrow();
    }
  });
});

describe("a split's file", () => {
  it.each([0, 7, 99_999, 123_456])('of split %i is recognized', (split) => {
    expect(splitOfFile(partFile(split))).toBe(split);
  });

  it('is named so that names sort as splits do', () => {
    expect(partFile(3)).toBe('part-00003.tsv.gz');
  });

  it('is not anything else', () => {
    expect(['_manifest.json', 'part-1.tsv.gz', 'part-00001.tsv.gz.tmp'].map(splitOfFile)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
