import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueryProgress } from '../../workflows/query/contract.ts';
import { eventually } from '../support/eventually.ts';
import { QueryBed } from './query-bed.ts';

const ROWS = 4_000;
let bed: QueryBed;
let table: string;
/** Runs for hours on any machine. */
let endless: string;

beforeAll(async () => {
  bed = await QueryBed.open();
  table = `${bed.hiveDatabase}.numbers`;
  endless = `SELECT COUNT(*) FROM ${table} a JOIN ${table} b JOIN ${table} c JOIN ${table} d`;
  await bed.hive.execute(
    `CREATE TABLE ${table} STORED AS ORC AS SELECT CAST(9007199254740993 + n AS BIGINT) AS n, IF(n % 2 = 0, NULL, IF(n % 3 = 0, '', CONCAT('s', n))) AS s
     FROM (SELECT posexplode(split(repeat(',', ${ROWS - 1}), ',')) AS (n, x)) q`,
  );
});
afterAll(() => bed.close());

describe('a statement that reads', () => {
  it('gives every type in its exact text, NULL and empty told apart', async () => {
    const sql = `-- all types
      SELECT 9223372036854775807 AS big, CAST('12345678901234567890.50' AS DECIMAL(38,18)) AS exact, CAST(1.5 AS DECIMAL(10,2)) AS money,
        TIMESTAMP '2020-01-01 00:00:00.120' AS at, DATE '2020-02-29' AS day, CAST(0.1 AS FLOAT) AS f, 1.0E10D AS d, CAST('NaN' AS DOUBLE) AS nan, true AS b,
        '' AS empty, CAST(NULL AS STRING) AS nothing, 'a\\tb\\nc\\\\d"é' AS odd, array(1, 2) AS list, map('k', 1) AS m,
        named_struct('x', 1, 'y', array('z')) AS st, CAST('ab' AS CHAR(3)) AS c, CAST('ab' AS BINARY) AS bin;`;
    const tsv = await bed.run({ sql });
    expect(await bed.text(tsv.path)).toBe(
      [
        ...[
          '9223372036854775807',
          '12345678901234567890.500000000000000000',
          '1.50',
          '2020-01-01 00:00:00.12',
          '2020-02-29',
          '0.1',
          '1.0E10',
          'NaN',
          'true',
        ],
        ...['', '\\N', 'a\\tb\\nc\\\\d"é', '[1,2]', '{"k":1}', '{"x":1,"y":["z"]}', 'ab ', 'YWI='],
      ].join('\t') + '\n',
    );
    expect(tsv.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      ...[
        'big bigint',
        'exact decimal(38,18)',
        'money decimal(10,2)',
        'at timestamp',
        'day date',
        'f float',
        'd double',
        'nan double',
        'b boolean',
      ],
      ...[
        'empty string',
        'nothing string',
        'odd string',
        'list array<int>',
        'm map<string,int>',
        'st struct<x:int,y:array<string>>',
        'c char(3)',
        'bin binary',
      ],
    ]);
    expect(JSON.parse(await bed.text(tsv.schemaPath))).toEqual({ columns: tsv.columns, rows: 1, isCut: false });
    expect(tsv.firstRows).toEqual([expect.arrayContaining(['9223372036854775807', '', null, 'a\tb\nc\\d"é'])]);

    const path = `${bed.directory}/results/types.jsonl`;
    const jsonl = await bed.run({ sql, format: 'jsonl', resultPath: path });
    expect(jsonl).toMatchObject({ path, rows: 1, isCut: false, kind: 'query', tables: [] });
    const line = await bed.text(path);
    expect(line).toContain('"big":9223372036854775807,"exact":12345678901234567890.500000000000000000,"money":1.50,');
    expect(line).toContain('"f":0.1,"d":1.0E10,"nan":"NaN","b":true,"empty":"","nothing":null,');
    expect(JSON.parse(line)).toMatchObject({ odd: 'a\tb\nc\\d"é', m: '{"k":1}', c: 'ab ' });
    // What is there is not written over.
    expect(await bed.failure({ sql, resultPath: path })).toMatchObject({
      code: 'hdfs-already-exists',
      message: expect.stringContaining('Remove it, or give another resultPath') as string,
    });
  });

  it('gives all rows of many pages, says where they were cut, and what was read', async () => {
    const all = await bed.run({ sql: `SELECT * FROM ${table} ORDER BY n` });
    const expected = Array.from({ length: ROWS }, (_, n) => {
      const s = n % 2 === 0 ? '\\N' : n % 3 === 0 ? '' : `s${n}`;
      return `${9_007_199_254_740_993n + BigInt(n)}\t${s}\n`;
    });
    expect(await bed.text(all.path)).toBe(expected.join(''));
    expect(all).toMatchObject({ rows: ROWS, isCut: false, tables: [table] });
    expect(all.columns.map(({ name }) => name)).toEqual(['n', 's']);
    expect(all.firstRows).toHaveLength(20);
    const [cut, whole] = await Promise.all([
      bed.run({ sql: `SELECT n FROM ${table} ORDER BY n`, maxRows: ROWS - 1 }),
      bed.run({ sql: `SELECT n FROM ${table}`, maxRows: ROWS }),
    ]);
    expect(cut).toMatchObject({ rows: ROWS - 1, isCut: true });
    expect((await bed.text(cut.path)).split('\n')).toHaveLength(ROWS);
    expect(whole).toMatchObject({ rows: ROWS, isCut: false });
  });

  it('may ask what there is', async () => {
    const tables = await bed.run({ sql: `SHOW TABLES IN ${bed.hiveDatabase}` });
    expect(tables).toMatchObject({ kind: 'told', firstRows: [['numbers']] });
    expect((await bed.run()).sql).toBe('SHOW TABLES');
    expect((await bed.run({ sql: `EXPLAIN SELECT * FROM ${table}` })).firstRows.flat().join('\n')).toContain('STAGE');
  });
});

describe('a statement that is not run', () => {
  it('is told in one sentence, written down, and leaves nothing behind', async () => {
    const before = await bed.files();
    const refused = [
      [{ sql: `DROP TABLE ${table}` }, 'statement-not-allowed', 'DROP changes data or tables, and this only reads'],
      [{ sql: `FROM ${table} INSERT INTO ${table} SELECT *` }, 'statement-not-allowed', 'INSERT changes'],
      [{ sql: `DROP TABLE ${table}`, allowWrites: true }, 'statement-not-allowed', 'HIVE_QUERY_WRITES=on'],
      [{ sql: 'SELECT * FROM nowhere.nothing' }, 'hive-not-found', "Table not found 'nothing'"],
      [{ sql: 'SELECT\n a FROM\n FROM' }, 'hive-refused', 'line 3:1'],
      [{ sql: 'SELECT 1', resultPath: `${bed.directory}/topics/x` }, 'invalid-input', 'lies data that others read'],
      [{ sql: 'SELECT 1', resultPath: '/user/hive/warehouse/x' }, 'invalid-input', 'lies data that others read'],
      [{ maxRows: -1 }, 'invalid-input', 'maxRows: '],
      [{ resultPath: 'relative' }, 'invalid-input', 'resultPath: must be an absolute HDFS path'],
      [{ timeLimit: 'soon' }, 'invalid-input', 'timeLimit: must be seconds'],
      [{ format: 'xml' }, 'invalid-input', 'format: '],
      [{ sql: 'x'.repeat(100_001) }, 'invalid-input', 'sql: '],
    ] as const;
    for (const [input, code, sentence] of refused) {
      const failure = await bed.failure(input);
      expect(failure).toMatchObject({ code, message: expect.stringContaining(sentence) as string });
    }
    expect(await bed.files()).toEqual(before);
    expect(await bed.hive.rows(`SELECT COUNT(*) FROM ${table}`)).toEqual([[String(ROWS)]]);
    const audit = await bed.kept();
    expect(audit).toContainEqual(
      expect.objectContaining({
        ...{ job: 'runHiveQuery', sql: `DROP TABLE ${table}`, outcome: 'failed' },
        reason: expect.stringContaining('DROP changes') as string,
      }),
    );
    expect(audit).toContainEqual(
      expect.objectContaining({ sql: `SELECT * FROM ${table} ORDER BY n`, outcome: 'completed', rows: ROWS }),
    );
  });
});

describe('a statement that ends early', () => {
  it('by its time limit, runs on nowhere', async () => {
    expect(await bed.failure({ sql: endless, timeLimit: 'PT6S' })).toMatchObject({
      code: 'time-limit-passed',
      message: expect.stringContaining('it took longer than its limit of 0:00:06, and was cancelled') as string,
    });
    await eventually('the job has ended', () => bed.jobs().length === 0);
  });

  it('by a cancellation, runs on nowhere', async () => {
    const before = await bed.files();
    const handle = await bed.start({ sql: endless });
    await eventually('a job of MapReduce runs', () => bed.jobs().length > 0);
    expect(await handle.query<QueryProgress>('progress')).toMatchObject({ phase: 'running in Hive' });
    // The audit knows of it before it has run.
    expect((await bed.kept()).at(-1)).toMatchObject({ workflowId: handle.workflowId, outcome: 'running' });
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    await eventually('the job has ended', () => bed.jobs().length === 0);
    expect(await bed.files()).toEqual(before);
    expect((await bed.kept()).at(-1)).toMatchObject({ workflowId: handle.workflowId, outcome: 'cancelled' });
  });

  it('by a connection that is cut, is run again, and no half result is seen', async () => {
    const path = `${bed.directory}/results/again.tsv`;
    const handle = await bed.start({ sql: `SELECT n FROM ${table} ORDER BY n`, resultPath: path });
    await eventually('a job of MapReduce runs', () => bed.jobs().length > 0);
    bed.proxy.cut();
    expect(await bed.hdfs.status(path)).toBeUndefined();
    expect(await handle.result()).toMatchObject({ rows: ROWS, path });
    expect((await bed.text(path)).split('\n')).toHaveLength(ROWS + 1);
  });
});
