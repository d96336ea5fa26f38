import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  partFile,
  runDirectory,
  tableDirectory,
  WorkDirectory,
} from '../../activities/import/staging/work-directory.ts';
import { withCode } from '../hdfs/test-bed.ts';
import { CrashPoint } from './crashing-clients.ts';
import { PublicationBed, type Brought } from './publication-bed.ts';

let bed: PublicationBed;
beforeAll(() => {
  bed = new PublicationBed();
});
afterAll(() => bed.end());

const COLUMNS = [
  { name: 'id', hiveType: 'BIGINT' },
  { name: 'version', hiveType: 'STRING' },
];

/** `count` rows from `first` on, each with the version. */
function rows(version: string, count: number, first = 0): string[][] {
  return Array.from({ length: count }, (_, index) => [String(first + index), version]);
}

function whole(version: string, count = 5): Brought {
  return { columns: COLUMNS, key: ['id'], rows: rows(version, count), splitRows: 3 };
}

/** Ids and versions that the table shows, by id. */
async function shown(hiveTable: string): Promise<string[]> {
  const read = await bed.hive.rows(`SELECT id, version FROM ${hiveTable}`);
  return read.map((row) => row.join('=')).sort();
}

async function runsOf(table: { schema: string; name: string }): Promise<readonly string[]> {
  const names = await bed.names(tableDirectory(bed.importsDirectory, 'postgres', table));
  return names.filter((name) => name.startsWith('run=')).sort();
}

describe('a reader', () => {
  it('sees one import or the next, whole, while the table is replaced, appended to and merged', async () => {
    const table = { schema: 'public', name: 'watched' };
    const { hiveTable } = await bed.import(table, whole('1', 40));
    const seen = new Set<string>();
    const end = new AbortController();
    const reading = (async () => {
      while (!end.signal.aborted) {
        const counts = new Map<string | null, number>();
        for (const [version] of await bed.hive.rows(`SELECT version FROM ${hiveTable}`)) {
          counts.set(version ?? null, (counts.get(version ?? null) ?? 0) + 1);
        }
        seen.add(JSON.stringify([...counts].sort()));
      }
    })();
    await bed.import(table, whole('2', 30));
    await bed.import(table, { ...whole('3'), rows: rows('3', 10, 30), publishAs: 'append', sourceRows: 40 });
    await bed.import(table, { ...whole('4'), rows: rows('4', 20, 25), publishAs: 'merge', sourceRows: 45 });
    end.abort();
    await reading;
    expect([...seen].filter((state) => !STATES.includes(state))).toEqual([]);
    expect([...seen].length).toBeGreaterThan(1);
    expect(await bed.hive.rows(`SELECT version, count(*) FROM ${hiveTable} GROUP BY version`)).toEqual([
      ['2', '25'],
      ['4', '20'],
    ]);
  });
  const STATES = [
    [['1', 40]],
    [['2', 30]],
    [
      ['2', 30],
      ['3', 10],
    ],
    [
      ['2', 25],
      ['4', 20],
    ],
  ].map((state) => JSON.stringify(state));
});

describe('a publication', () => {
  it('that is killed after any of its steps comes to the same when it is run again', async () => {
    const table = { schema: 'public', name: 'killed' };
    const { hiveTable } = await bed.import(table, whole('first'));
    let survived = false;
    for (let steps = 1; !survived; steps++) {
      const before = await bed.commit(table);
      const request = await bed.bring(table, whole(`after ${steps}`, 4));
      const crash = new CrashPoint(steps);
      const killed = await bed
        .publish(request, bed.with({ hdfs: crash.hdfs(bed.hdfs), hive: crash.hive(bed.hive) }))
        .catch(() => undefined);
      survived = killed !== undefined;
      const result = await bed.publish(request);
      const commit = await bed.commit(table);

      const after = crash.steps.at(-1) ?? '';
      expect(commit?.seq, after).toBe((before?.seq ?? 0) + 1);
      expect(
        commit?.runs.map(({ runId }) => runId),
        after,
      ).toEqual([request.run.runId]);
      expect(result, after).toMatchObject({ hiveTable, rows: 4, sourceRows: 4, splits: 2, publishedAs: 'full' });
      expect(await shown(hiveTable), after).toEqual([0, 1, 2, 3].map((id) => `${id}=after ${steps}`));
      const previous = before?.runId ?? '';
      expect(await runsOf(table), after).toEqual([`run=${previous}`, `run=${request.run.runId}`].sort());
      const work = new WorkDirectory(bed.hdfs, bed.importsDirectory, request.run, table);
      expect(await bed.hdfs.status(work.root), after).toBeUndefined();
    }
    expect(await bed.names(`${tableDirectory(bed.importsDirectory, 'postgres', table)}/_commits`)).not.toContainEqual(
      expect.stringMatching(/^\./),
    );
  });

  it('that two attempts do at once is done once, and both tell the same', async () => {
    for (const name of ['twice', 'twice_again', 'twice_more']) {
      const table = { schema: 'public', name };
      const request = await bed.bring(table, whole('1'));
      const [one, other] = await Promise.all([bed.publish(request), bed.publish(request)]);
      expect(one).toEqual(other);
      expect((await bed.commit(table))?.seq).toBe(1);
      expect(await shown(one.hiveTable)).toHaveLength(5);
    }
  });

  it('that another import of the table was quicker than is refused, and leaves nothing', async () => {
    const table = { schema: 'public', name: 'contended' };
    await bed.import(table, whole('1'));
    const late = await bed.bring(table, whole('late'));
    const { hiveTable } = await bed.import(table, whole('2'));
    await expect(bed.publish(late)).rejects.toEqual(withCode('import-conflict'));
    expect(await shown(hiveTable)).toEqual(expect.arrayContaining(['0=2']));
    expect(await runsOf(table)).not.toContain(`run=${late.run.runId}`);
  });

  it('that is asked for again after a later one tells what it did, and shows the later one', async () => {
    const table = { schema: 'public', name: 'late' };
    const early = await bed.bring(table, whole('1'));
    const result = await bed.publish(early);
    await bed.import(table, whole('2'));
    expect(await bed.publish(early)).toEqual(result);
    expect(await shown(result.hiveTable)).toContain('0=2');
  });

  it('is refused while a file is missing, foreign or exchanged, or a split is of another snapshot', async () => {
    const table = { schema: 'public', name: 'doubtful' };
    const request = await bed.bring(table, whole('1'));
    const { dataDirectory } = new WorkDirectory(bed.hdfs, bed.importsDirectory, request.run, table);
    const part = `${dataDirectory}/${partFile(1)}`;
    const bytes = await bed.hdfs.readFile(part, { maxBytes: 100_000 });
    const refused = withCode('import-verification-failed');

    await bed.hdfs.rename(part, `${dataDirectory}/.aside`);
    await expect(bed.publish(request)).rejects.toEqual(refused);
    await bed.hdfs.writeFile(part, bytes);
    await expect(bed.publish(request)).rejects.toEqual(refused);
    await bed.hdfs.delete(part);
    await bed.hdfs.rename(`${dataDirectory}/.aside`, part);
    await bed.hdfs.writeFile(`${dataDirectory}/stranger.gz`, bytes);
    await expect(bed.publish(request)).rejects.toEqual(refused);
    await bed.hdfs.delete(`${dataDirectory}/stranger.gz`);
    await expect(
      bed.publish({ ...request, snapshot: { ...request.snapshot, takenAt: '2026-02-02T00:00:00Z' } }),
    ).rejects.toEqual(refused);
    expect(await bed.commit(table)).toBeUndefined();
    expect(await runsOf(table)).toEqual([]);

    expect(await shown((await bed.publish(request)).hiveTable)).toHaveLength(5);
  });
});

describe('a table of several runs', () => {
  it('has of each key the newest row when runs were merged, and NULL where a column came later', async () => {
    const table = { schema: 'public', name: 'several' };
    const { hiveTable } = await bed.import(table, whole('1', 4));
    await bed.import(table, { ...whole('2'), rows: rows('2', 2, 4), publishAs: 'append', sourceRows: 6 });
    const added = [...COLUMNS, { name: 'note', hiveType: 'DECIMAL(5,2)' }];
    const more = { columns: added, key: ['id'], publishAs: 'append' as const };
    await bed.import(table, { ...more, rows: [['6', '3', '1.50']], sourceRows: 7 });
    const read = async (): Promise<unknown> =>
      (await bed.hive.rows(`SELECT id, version, note FROM ${hiveTable}`)).map((row) => row.join(' ')).sort();
    expect(await read()).toEqual(['0 1 ', '1 1 ', '2 1 ', '3 1 ', '4 2 ', '5 2 ', '6 3 1.50']);
    await bed.import(table, {
      ...more,
      publishAs: 'merge',
      rows: [
        ['0', '4', null],
        ['6', '4', '-0.01'],
        ['7', '4', '2.00'],
      ],
      sourceRows: 8,
    });
    expect(await read()).toEqual(['0 4 ', '1 1 ', '2 1 ', '3 1 ', '4 2 ', '5 2 ', '6 4 -0.01', '7 4 2.00']);
    expect((await bed.commit(table))?.runs.map(({ mode }) => mode)).toEqual(['full', 'append', 'append', 'merge']);

    const dropped = { ...whole('5'), columns: COLUMNS, rows: rows('5', 1), publishAs: 'append' as const };
    await expect(bed.import(table, dropped)).rejects.toEqual(withCode('table-changed'));
    expect(await read()).toHaveLength(8);
  });

  it('is shown whole again after the metastore was lost', async () => {
    const table = { schema: 'public', name: 'restored' };
    const { hiveTable } = await bed.import(table, whole('1', 3));
    await bed.import(table, { ...whole('2'), rows: rows('2', 2, 3), publishAs: 'append', sourceRows: 5 });
    await bed.hive.execute(`DROP VIEW ${hiveTable}`);
    for (const [name] of await bed.hive.rows(`SHOW TABLES IN ${bed.prefix}_postgres_runs LIKE 'restored%'`)) {
      await bed.hive.execute(`DROP TABLE ${bed.prefix}_postgres_runs.${name ?? ''}`);
    }
    await bed.import(table, { ...whole('3'), rows: rows('3', 1, 5), publishAs: 'append', sourceRows: 6 });
    expect(await shown(hiveTable)).toEqual(['0=1', '1=1', '2=1', '3=2', '4=2', '5=3']);
  });

  it('keeps the files of the import before, for queries that still read them, and no older ones', async () => {
    const table = { schema: 'public', name: 'replaced' };
    const runIds: string[] = [];
    for (const version of ['1', '2', '3', '4']) {
      const request = await bed.bring(table, whole(version));
      await bed.publish(request);
      runIds.push(request.run.runId);
    }
    expect(await runsOf(table)).toEqual(runIds.slice(-2).map((runId) => `run=${runId}`));
    const [runs] = await bed.hive.rows(`SHOW TABLES IN ${bed.prefix}_postgres_runs LIKE 'replaced%'`);
    expect(await bed.hive.rows(`SHOW PARTITIONS ${bed.prefix}_postgres_runs.${runs?.[0] ?? ''}`)).toHaveLength(2);
    const manifest = await bed.hdfs.readFile(
      `${runDirectory(bed.importsDirectory, 'postgres', table, runIds.at(-1) ?? '')}/_manifest.json`,
      { maxBytes: 100_000 },
    );
    expect(JSON.parse(manifest.toString())).toMatchObject({
      rows: 5,
      splits: 2,
      files: [{ name: 'part-00000.tsv.gz' }, {}],
    });
  });
});
