import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureLegacyTables } from '../../activities/tables/legacy-tables.ts';
import { ensureTable } from '../../activities/tables/ensure-table.ts';
import { textLegacy, textLines } from '../../activities/tables/definitions.ts';
import { ensureTextTables } from '../../activities/tables/text-tables.ts';
import type { TablesResult } from '../../workflows/tables/contract.ts';
import { TablesBed } from './tables-bed.ts';

let bed: TablesBed;
beforeAll(async () => {
  bed = await TablesBed.open();
});
afterAll(() => bed.close());
beforeEach(() => bed.clear());

const HASH = 'a'.repeat(64);

async function landed(): Promise<void> {
  await bed.put('unorganized/text/one.tsv', `${HASH}\t1\tthe line\n`);
  await bed.put('unorganized/telemetry-rows/one.tsv', `${HASH}\t0\t1\ts/1\t898992000.25\t1.50\tMW\treal_time\n`);
}

/** Lines by the end of their file's path. */
async function linesOf(sql: string): Promise<(string | null)[][]> {
  return (await bed.run(sql)).map((row) => row.map((field) => field?.replace(`${bed.directory}/`, '') ?? null)).sort();
}

describe('the tables', () => {
  it('are made of what is there, once, and shown by SQL', async () => {
    const nothing = await bed.build();
    expect(Object.fromEntries(Object.entries(nothing).map(([name, { outcome }]) => [name, outcome]))).toEqual({
      text_files: 'left out',
      text_legacy: 'left out',
      telemetry_legacy: 'left out',
      readings_imported: 'created',
      readings_raw: 'created',
      readings_all: 'created',
      readings_offsets: 'created',
    });
    expect(nothing['text_files']?.notes).toEqual([expect.stringContaining('/samples is not there')]);
    expect(await bed.tables()).toEqual([
      'readings_all',
      'readings_imported',
      'readings_offsets',
      'readings_raw',
      'readings_tail',
    ]);
    expect(await bed.hdfs.status(`${bed.directory}/unorganized`)).toBeUndefined();

    const odd = "tab\there, back\\slash \\N, \\t, 'quote', \u0001\u0000, ü😀\r";
    await bed.put('samples/a.txt', `first\n\n${odd}\n\\N\nlast`);
    await bed.put('samples/sub/deep er/b [1]*.txt', '\ufeffin a directory below\n');
    await bed.put('samples/sub/c.txt.gz', gzipSync('compressed\n'));
    await bed.put('samples/_passed/over.txt', 'not this\n');
    await bed.put('samples/sub/.passed-over', 'nor this\n');
    await landed();
    const made = await bed.build({});
    expect(made).toMatchObject({
      text_files: { outcome: 'created', files: 3, shows: [`${bed.directory}/samples`], notes: [] },
      text_legacy: { outcome: 'created', files: 1, bytes: HASH.length + 12 },
      telemetry_legacy: { outcome: 'created', files: 1 },
      readings_imported: { outcome: 'unchanged' },
    });
    const lines = [
      ['', 'samples/a.txt', 'samples'],
      ['\\N', 'samples/a.txt', 'samples'],
      ['compressed', 'samples/sub/c.txt.gz', 'samples'],
      ['first', 'samples/a.txt', 'samples'],
      ['in a directory below', 'samples/sub/deep er/b [1]*.txt', 'samples'],
      ['last', 'samples/a.txt', 'samples'],
      [odd.slice(0, -1), 'samples/a.txt', 'samples'],
    ].sort();
    expect(await linesOf('SELECT * FROM @.text_files')).toEqual(lines);
    // By another way of Hive's: as a job.
    expect(await linesOf('SELECT MAX(line), file FROM @.text_files GROUP BY file, line')).toEqual(
      lines.map(([line, file]) => [line, file]),
    );
    expect(await bed.run('SELECT * FROM @.telemetry_legacy')).toEqual([
      [
        HASH,
        '0',
        '1',
        's/1',
        'real_time',
        'MW',
        '1.50',
        '1.500000000000000000',
        '1998-06-28 00:00:00.25',
        '898992000250',
        '898992000.25',
        '1998-06-28',
      ],
    ]);
    const again = await bed.build({});
    expect(new Set(Object.values(again).map(({ outcome }) => outcome))).toEqual(new Set(['unchanged']));
    // Files that come are there at once.
    await bed.put('samples/new/d.txt', 'new\n');
    expect(await linesOf("SELECT line FROM @.text_files WHERE file LIKE '%/new/d.txt'")).toEqual([['new']]);
  });

  it('are made by three runs at once as by one', async () => {
    await bed.put('samples/a.txt', 'one\n');
    await bed.put('b/b.txt', 'two\n');
    await landed();
    const input = { texts: { text_files: [`${bed.directory}/samples`, `${bed.directory}/b`] } };
    await Promise.all([bed.build(input), bed.build(input), bed.build(input)]);
    expect(new Set(Object.values(await bed.outcomes(input)))).toEqual(new Set(['unchanged']));
    expect(await linesOf('SELECT line FROM @.text_files')).toEqual([['one'], ['two']]);
  });

  it('are whole or not there when the connection to Hive is cut anywhere', async () => {
    const { proxy, deps } = bed;
    await bed.put('samples/a.txt', 'one\n');
    await bed.put('b/b.txt', 'two\n');
    await landed();
    const signal = new AbortController().signal;
    const texts = { text_files: [`${bed.directory}/samples`, `${bed.directory}/b`] };
    let cuts = 0;
    for (let atByte = 500; ; atByte += 500 + atByte / 2) {
      const before = proxy.bytesToTarget;
      const ended = ensureTextTables(deps, { texts }, signal)
        .then(() => ensureLegacyTables(deps, signal))
        .then(
          () => 'ended' as const,
          (error: unknown) => error,
        );
      const isCut = await Promise.race([
        ended.then(() => false),
        expect
          .poll(() => proxy.bytesToTarget - before, { interval: 1 })
          .toBeGreaterThan(atByte)
          .then(() => true),
      ]);
      if (isCut) proxy.cut();
      const end = await ended;
      if (end === 'ended' && !isCut) break;
      cuts++;
      if (end !== 'ended') expect(end).toMatchObject({ code: 'hive-unavailable' });
      const there = await tablesOrNone();
      if (there.includes('text_files'))
        expect(await linesOf('SELECT line FROM @.text_files')).toEqual([['one'], ['two']]);
      if (there.includes('text_legacy'))
        expect(await bed.run('SELECT text FROM @.text_legacy')).toEqual([['the line']]);
      if (there.includes('telemetry_legacy'))
        expect(await bed.run('SELECT value_text FROM @.telemetry_legacy')).toEqual([['1.50']]);
    }
    expect(cuts).toBeGreaterThan(2);
    expect(await bed.outcomes()).toMatchObject({
      text_files: 'unchanged',
      text_legacy: 'unchanged',
      telemetry_legacy: 'unchanged',
    });
  });
});

async function tablesOrNone(): Promise<readonly string[]> {
  return (await bed.run(`SHOW DATABASES LIKE '@'`)).length === 0 ? [] : bed.tables();
}

describe('a table of texts', () => {
  it('shows the directories that it was told last, and more tables may be asked for', async () => {
    const { directory } = bed;
    for (const name of ['a', 'b', 'c d%=']) await bed.put(`${name}/file.txt`, `in ${name}\n`);
    const first = await bed.build({ texts: { books: [`${directory}/a/`, `${directory}/gone`] } });
    expect(first['books']).toMatchObject({ outcome: 'created', shows: [`${directory}/a`], files: 1 });
    expect(first['books']?.notes).toEqual([
      `${directory}/gone is not there; it is shown once it is there and the job runs again`,
    ]);

    const second = await bed.build({ texts: { books: [`${directory}/b`, `${directory}/c d%=`] } });
    expect(second['books']).toMatchObject({ outcome: 'evolved', files: 2 });
    expect(second['books']?.notes).toEqual(
      expect.arrayContaining([`${directory}/a is not shown any more`, `${directory}/b is shown`]),
    );
    expect(await linesOf('SELECT line, directory FROM @.books')).toEqual([
      ['in b', 'b'],
      ['in c d%=', 'c d%='],
    ]);
    // Not named: it stays. Another one is there beside it.
    const third = await bed.outcomes({ texts: { others: [`${directory}/a`] } });
    expect(third).toMatchObject({ others: 'created', text_files: 'left out' });
    expect(await linesOf('SELECT line FROM @.books')).toHaveLength(2);

    // `{}` leaves what text_files was told.
    expect(await bed.outcomes({ texts: { text_files: [`${directory}/a`] } })).toMatchObject({ text_files: 'created' });
    await bed.put('samples/x.txt', 'x\n');
    expect(await bed.outcomes()).toMatchObject({ text_files: 'unchanged' });
    expect(await bed.failure({ texts: { books: [`${directory}/a/file.txt`] } })).toEqual({
      code: 'invalid-input',
      message: `Making the table ${bed.database}.books: ${directory}/a/file.txt is a file. Name the directory that it lies in.`,
    });
  });
});

describe('what was altered by hand', () => {
  it('is put back, and told', async () => {
    const { directory } = bed;
    await bed.put('a/file.txt', 'a\n');
    await bed.put('b/file.txt', 'b\n');
    await bed.put('else/file.txt', 'else\n');
    await landed();
    const input = { texts: { text_files: [`${directory}/a`, `${directory}/b`] } };
    await bed.build(input);
    await bed.run(`ALTER TABLE @.text_files__lines DROP PARTITION (directory='${directory}/a')`);
    await bed.run(
      `ALTER TABLE @.text_files__lines PARTITION (directory='${directory}/b') SET LOCATION '${directory}/else'`,
    );
    await bed.run(`ALTER TABLE @.text_files__lines ADD PARTITION (directory='mine') LOCATION '${directory}/else'`);
    await bed.run(`ALTER TABLE @.text_legacy SET LOCATION '${directory}/else'`);
    await bed.run(`ALTER TABLE @.text_legacy SET SERDEPROPERTIES ('field.delim'=',')`);
    await bed.run(`ALTER TABLE @.text_legacy SET TBLPROPERTIES ('external.table.purge'='true')`);
    await bed.run('DROP VIEW @.telemetry_legacy');
    const mended = await bed.build();
    expect(mended).toMatchObject({
      text_files: { outcome: 'mended' },
      text_legacy: { outcome: 'mended' },
      telemetry_legacy: { outcome: 'mended' },
    });
    expect(mended['text_files']?.notes).toEqual([
      `${directory}/a was missing in what it shows, and is shown again`,
      expect.stringContaining(`the partition of ${directory}/b had been altered by hand (it lay at hdfs://`),
      'mine is not shown any more; it had been added by hand',
    ]);
    expect(mended['text_legacy']?.notes).toEqual([
      expect.stringContaining('how its fields are told apart'),
      expect.stringContaining(`${directory}/else in place of ${directory}/unorganized/text`),
      expect.stringContaining('that dropping it keeps its files'),
    ]);
    expect(await linesOf('SELECT line FROM @.text_files')).toEqual([['a'], ['b']]);
    expect(await bed.run('SELECT * FROM @.text_legacy')).toEqual([[HASH, '1', 'the line']]);
    expect(new Set(Object.values(await bed.outcomes()))).toEqual(new Set(['unchanged']));

    // A directory that has gone is not shown; the table stays, and shows it when it is back.
    await bed.hdfs.delete(`${directory}/b`, { recursive: true });
    const gone = await bed.build();
    expect(gone['text_files']).toMatchObject({ outcome: 'mended', shows: [`${directory}/a`] });
    await bed.put('b/file.txt', 'b again\n');
    expect(await bed.outcomes()).toMatchObject({ text_files: 'mended' });
    expect(await linesOf('SELECT line FROM @.text_files')).toEqual([['a'], ['b again']]);
  });
});

describe('a new column', () => {
  const extra = { name: 'remark', type: 'string', comment: 'that came later' };

  it('is added at the end, also for the partitions that are there', async () => {
    await landed();
    await bed.build();
    const { hive, deps, database } = bed;
    const wider = textLegacy(database, deps.unorganizedDirectory);
    const definition = { ...wider, columns: [...wider.columns, extra] };
    expect(await ensureTable(hive, definition, {})).toMatchObject({ outcome: 'evolved', columnsAdded: ['remark'] });
    await bed.put('unorganized/text/two.tsv', `${HASH}\t2\tthe second\tremarkable\n`);
    expect((await bed.run('SELECT line, text, remark FROM @.text_legacy')).sort()).toEqual([
      ['1', 'the line', null],
      ['2', 'the second', 'remarkable'],
    ]);
    // A version that does not know it leaves it.
    expect(await bed.outcomes()).toMatchObject({ text_legacy: 'unchanged' });

    await bed.put('a/file.txt', 'a\n');
    const directories = [`${bed.directory}/a`];
    const lines = textLines(database, 'books', {
      location: `${bed.directory}/analysis/x`,
      directories,
      present: directories,
    });
    await ensureTable(hive, lines, {});
    const both = { ...lines, columns: [...lines.columns, extra] };
    const results = await Promise.all([ensureTable(hive, both, {}), ensureTable(hive, both, {})]);
    expect(results.map(({ outcome }) => outcome)).toContain('evolved');
    expect(await bed.run('SELECT line, remark FROM @.books__lines')).toEqual([['a', null]]);
  });
});

describe('a table that may not be changed', () => {
  it('stays as it is, with a sentence, while the others are made', async () => {
    await landed();
    await bed.put('samples/a.txt', 'one\n');
    await bed.run('CREATE DATABASE @');
    await bed.run(`CREATE TABLE @.text_files__lines AS SELECT 'mine' AS mine`);
    await bed.run(
      `CREATE EXTERNAL TABLE @.telemetry_legacy__rows (content STRING, row_index BIGINT, column_index BIGINT) LOCATION '${bed.directory}/unorganized/telemetry-rows' TBLPROPERTIES ('powergrid.table'='telemetry_legacy__rows')`,
    );
    const handle = await bed.start();
    const failure = await bed.failure({});
    expect(failure.code).toBe('table-conflict');
    expect(failure.message).toContain(
      `${bed.database}.text_files__lines: there is a table of this name that somebody else has made, and it stays as it is.`,
    );
    expect(failure.message).toContain('the column column_index is of the type bigint, and has to be int');
    expect(await bed.run('SELECT * FROM @.text_files__lines')).toEqual([['mine']]);
    expect(await bed.run('SELECT text FROM @.text_legacy')).toEqual([['the line']]);
    expect(await bed.tables()).toContain('readings_imported');
    const error: unknown = await handle.result().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(refusedIn(error)).toEqual(['text_files', 'telemetry_legacy']);

    await bed.run('DROP TABLE @.telemetry_legacy__rows');
    const columns = 'content STRING, row_index BIGINT, sensor_id STRING, column_index INT';
    await bed.run(
      `CREATE EXTERNAL TABLE @.telemetry_legacy__rows (${columns}) LOCATION '${bed.directory}/unorganized/telemetry-rows' TBLPROPERTIES ('powergrid.table'='x')`,
    );
    expect((await bed.failure({})).message).toContain(
      'the column column_index int has moved to place 4, and in its place 3 stands sensor_id string',
    );
    await bed.run('DROP TABLE @.telemetry_legacy__rows');
    await bed.run(`CREATE EXTERNAL TABLE @.telemetry_legacy__rows (content STRING) LOCATION '${bed.directory}/mine'`);
    await bed.run('DROP TABLE @.text_legacy');
    await bed.run('CREATE VIEW @.text_legacy AS SELECT 1 AS one');
    const { message } = await bed.failure({});
    expect(message).toContain('telemetry_legacy__rows: there is a table of this name that somebody else has made');
    expect(message).toContain('text_legacy: there is a view of this name, which stays as it is');
    expect(await bed.run('SELECT * FROM @.text_legacy')).toEqual([['1']]);
  });
});

function refusedIn(error: unknown): readonly string[] {
  let cause = error;
  while (cause instanceof Error && !('details' in cause) && cause.cause !== undefined) cause = cause.cause;
  const [result] = (cause as { details: [TablesResult] }).details;
  return result.tables.filter(({ outcome }) => outcome === 'refused').map(({ name }) => name.replace(/^.*\./, ''));
}

describe('a run', () => {
  it('is refused at once when its input is wrong', async () => {
    const failure = await bed.failure({ texts: { books: ['/a', '/a/b'] } });
    expect(failure.code).toBe('invalid-input');
    expect(failure.message).toMatch(
      /^Reading the input of buildHiveTables: texts.books: must not name a directory twice/,
    );
  });

  it('that is cancelled ends at once, and the next one does the rest', async () => {
    await bed.put('samples/a.txt', 'one\n');
    bed.proxy.hang();
    const handle = await bed.start();
    await expect.poll(() => bed.proxy.open).toBeGreaterThan(0);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    await bed.proxy.pass();
    expect(await bed.outcomes()).toMatchObject({ text_files: 'created' });
  });
});
