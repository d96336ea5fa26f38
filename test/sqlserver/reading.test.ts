import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serverAddress } from '../../connectors/sqlserver/address.ts';
import type { ChangesSince, SnapshotReader, TablePlan } from '../../grid/history/sql-source.ts';
import { eventually } from '../support/eventually.ts';
import { NEEDS_SERVER, NUMBERS, rowsOf, sourceOf, SQL_SERVER_URL, TestDatabase } from './test-database.ts';

const never = new AbortController().signal;
const options = { splitRows: 1_000, onUnsupported: 'refuse' } as const;

describe.skipIf(SQL_SERVER_URL === '')(`reading SQL Server${NEEDS_SERVER}`, () => {
  let database: TestDatabase;
  const readers: SnapshotReader[] = [];

  beforeAll(async () => {
    database = await TestDatabase.open();
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    // A test that failed early has not ended its own, and what it holds would keep all others waiting.
    await database.rollBack();
  });
  afterAll(async () => {
    await database.close();
  });

  async function opened(): Promise<SnapshotReader> {
    const reader = await sourceOf().read(undefined, never);
    readers.push(reader);
    return reader;
  }

  async function planned(table: string, more: Partial<Parameters<SnapshotReader['plan']>[1]> = {}) {
    const reader = await opened();
    return { reader, plan: await reader.plan(database.table(table), { ...options, ...more }, never) };
  }

  /** Every split's rows, with a check that the database's digests are those of what came. */
  async function splitRows(reader: SnapshotReader, plan: TablePlan): Promise<(string | null)[][][]> {
    const all: (string | null)[][][] = [];
    for (const split of plan.splits.keys()) {
      const { rows, digest } = await rowsOf(reader, plan, split);
      expect(await reader.digest(plan, split, never)).toEqual({ rows: rows.length, digest });
      all.push(rows);
    }
    return all;
  }

  it('lists its tables and says what it is', async () => {
    await database.run("CREATE TABLE {schema}.[odd ]]'name] (id int)");
    const identity = await sourceOf().identify(never);
    expect(identity.product).toMatch(/^SQL Server/);
    expect(identity.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(await sourceOf().identify(never)).toEqual(identity);
    expect(await sourceOf().tables(never)).toContainEqual({
      schema: database.schema,
      name: "odd ]'name",
      readable: true,
    });
    const { reader, plan } = await planned("odd ]'name");
    expect(await splitRows(reader, plan)).toEqual([[]]);
  });

  it.each([
    ['int', 'n'],
    ['bigint', 'CONVERT(bigint, n) * 1000000007'],
    ['decimal(38,10)', 'n / 7.0'],
    ['float', 'n / 3E0'],
    ['money', 'n / 4.0'],
    ['datetime2(7)', "DATEADD(second, n, CONVERT(datetime2(7), '2024-01-01 00:00:00.1234567'))"],
    ['datetime', "DATEADD(minute, n, CONVERT(datetime, '20240101 00:00:00.003'))"],
    [
      'datetimeoffset(3)',
      "SWITCHOFFSET(DATEADD(second, n, CONVERT(datetimeoffset(3), '2024-01-01 00:00:00.123 +00:00')), '+05:30')",
    ],
    ['uniqueidentifier', "CONVERT(uniqueidentifier, HASHBYTES('MD5', CONVERT(varchar(10), n)))"],
    ['varbinary(16)', "HASHBYTES('MD5', CONVERT(varchar(10), n))"],
    ['varchar(40) COLLATE Latin1_General_CI_AS', "CONVERT(varchar(40), HASHBYTES('MD5', CONVERT(varchar(10), n)), 2)"],
    ['nvarchar(40) COLLATE Latin1_General_100_CI_AI', "NCHAR(192 + n % 300) + N'''' + CONVERT(nvarchar(10), n)"],
  ])('splits by a key of type %s, by rows, and finds each row once', async (type, expression) => {
    const name = `key ${type.slice(0, 20)}`.replaceAll(/\W/g, '_');
    await database.run(`CREATE TABLE {schema}.${name} (k ${type} NOT NULL PRIMARY KEY, n int NOT NULL)`);
    await database.run(
      `${NUMBERS} INSERT INTO {schema}.${name} (k, n) SELECT ${expression}, n FROM numbers WHERE n < 3500`,
    );
    const { reader, plan } = await planned(name);
    expect(plan.key).toEqual(['k']);
    const splits = await splitRows(reader, plan);
    expect(splits.map((rows) => rows.length)).toEqual([1_000, 1_000, 1_000, 500]);
    expect(
      splits
        .flat()
        .map((row) => Number(row[1]))
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 3_500 }, (_, n) => n));
  });

  it('splits by a composite key, however skewed its first column is', async () => {
    await database.run(
      'CREATE TABLE {schema}.skewed (sensor int NOT NULL, at datetime2(3) NOT NULL, n int NOT NULL, PRIMARY KEY (sensor, at))',
    );
    await database.run(
      `${NUMBERS} INSERT INTO {schema}.skewed SELECT CASE WHEN n % 100 = 0 THEN n ELSE 7 END, DATEADD(second, n, CONVERT(datetime2(3), '2024-01-01')), n FROM numbers WHERE n < 3000`,
    );
    const { reader, plan } = await planned('skewed');
    expect((await splitRows(reader, plan)).map((rows) => rows.length)).toEqual([1_000, 1_000, 1_000]);
  });

  it('splits by a clustered index that is not unique, together with the primary key', async () => {
    await database.run('CREATE TABLE {schema}.clustered (id int NOT NULL PRIMARY KEY NONCLUSTERED, at date NOT NULL)');
    await database.run('CREATE CLUSTERED INDEX c ON {schema}.clustered (at DESC)');
    await database.run(`${NUMBERS} INSERT INTO {schema}.clustered SELECT n, '2024-01-01' FROM numbers WHERE n < 2500`);
    const { reader, plan } = await planned('clustered');
    expect((await splitRows(reader, plan)).map((rows) => rows.length)).toEqual([1_000, 1_000, 500]);
  });

  it('reads a table without a key in one split, with a digest all the same', async () => {
    await database.run('CREATE TABLE {schema}.heap (n int NULL)');
    await database.run(`${NUMBERS} INSERT INTO {schema}.heap SELECT n % 10 FROM numbers WHERE n < 2000`);
    await database.run('INSERT INTO {schema}.heap VALUES (NULL), (NULL)');
    const { reader, plan } = await planned('heap');
    expect(plan.splits).toHaveLength(1);
    expect(plan.key).toEqual([]);
    const [rows = []] = await splitRows(reader, plan);
    expect(rows).toHaveLength(2_002);
    expect(rows.filter(([value]) => value === null)).toHaveLength(2);
    expect(await reader.count(plan, never)).toEqual({ rows: 2_002, chosen: 2_002 });
  });

  it('reads rows of hundreds of columns', async () => {
    const names = Array.from({ length: 400 }, (_, at) => `c${at}`);
    await database.run(`CREATE TABLE {schema}.wide (${names.map((name) => `${name} int NULL`).join(', ')})`);
    await database.run(
      `INSERT INTO {schema}.wide (${names.join(', ')}) VALUES (${names.map((_, at) => at).join(', ')})`,
    );
    const { reader, plan } = await planned('wide');
    expect(await splitRows(reader, plan)).toEqual([[names.map((_, at) => String(at))]]);
  });

  it('sees a change of one value in the digest', async () => {
    await database.run('CREATE TABLE {schema}.changing (id int NOT NULL PRIMARY KEY, v int NOT NULL)');
    await database.run(`${NUMBERS} INSERT INTO {schema}.changing SELECT n, n FROM numbers WHERE n < 1500`);
    const before = await planned('changing');
    const digests = [
      await before.reader.digest(before.plan, 0, never),
      await before.reader.digest(before.plan, 1, never),
    ];
    await before.reader.close();
    await database.run('UPDATE {schema}.changing SET v = -1 WHERE id = 1200');
    const later = await opened();
    expect(await later.digest(before.plan, 0, never)).toEqual(digests[0]);
    expect(await later.digest(before.plan, 1, never)).not.toEqual(digests[1]);
  });

  it('reads a table as of one moment where the database allows it', async () => {
    await database.run('CREATE TABLE {schema}.moment (id int NOT NULL PRIMARY KEY)');
    await database.run('INSERT INTO {schema}.moment VALUES (1)');
    const { consistency, notes } = await sourceOf().identify(never);
    const { reader, plan } = await planned('moment');
    await database.run('INSERT INTO {schema}.moment VALUES (2)');
    const { rows } = await rowsOf(reader, plan, 0);
    if (consistency === 'table') expect(rows).toEqual([['1']]);
    else {
      expect(rows).toEqual([['1'], ['2']]);
      expect(notes.join(' ')).toContain('ALLOW_SNAPSHOT_ISOLATION');
    }
  });

  it('stops when the table was altered, or made anew, or dropped', async () => {
    await database.run('CREATE TABLE {schema}.altered (id int NOT NULL PRIMARY KEY)');
    const { reader, plan } = await planned('altered');
    await reader.close();
    await database.run('ALTER TABLE {schema}.altered ADD more int NULL');
    await expect(rowsOf(await opened(), plan, 0)).rejects.toMatchObject({ code: 'table-changed' });
    await database.run('DROP TABLE {schema}.altered');
    await expect(rowsOf(await opened(), plan, 0)).rejects.toMatchObject({ code: 'unknown-table' });
    await database.run('CREATE TABLE {schema}.altered (id int NOT NULL PRIMARY KEY)');
    await expect(rowsOf(await opened(), plan, 0)).rejects.toMatchObject({ code: 'table-changed' });
    await expect((await opened()).plan(database.table('Altered_'), options, never)).rejects.toMatchObject({
      code: 'unknown-table',
    });
  });

  it('cancels the query at the server', async () => {
    await database.run('CREATE TABLE {schema}.long_ (id int NOT NULL PRIMARY KEY, filler char(200) NOT NULL)');
    await database.run(`${NUMBERS} INSERT INTO {schema}.long_ SELECT n, 'x' FROM numbers`);
    const { reader, plan } = await planned('long_', { splitRows: 1_000_000 });
    const controller = new AbortController();
    let chunks = 0;
    const copied = reader.copy(
      plan,
      0,
      () => {
        chunks++;
        controller.abort(new Error('enough'));
        return Promise.resolve();
      },
      { verify: true, signal: controller.signal },
    );
    await expect(copied).rejects.toThrow('enough');
    expect(chunks).toBe(1);
    // The connection is free again, in the same transaction.
    expect(await reader.count(plan, never)).toEqual({ rows: 100_000, chosen: 100_000 });
  });

  it('cancels a query that has not said anything yet', async () => {
    await database.run('CREATE TABLE {schema}.silent (id int NOT NULL PRIMARY KEY)');
    const holder = await database.transaction();
    const { reader, plan } = await planned('silent');
    await holder.run('INSERT INTO {schema}.silent WITH (TABLOCKX) VALUES (1)');
    const controller = new AbortController();
    // Under snapshot isolation nothing waits for the lock, and the empty table is read at once.
    let outcome: string | undefined;
    const read = reader.digest(plan, 0, controller.signal).then(
      ({ rows }) => (outcome = `${rows} rows`),
      (error: unknown) => (outcome = (error as Error).message),
    );
    await eventually('the query is done, or waits for the lock', async () => {
      if (outcome !== undefined) return true;
      const [row] = await database.run(
        "SELECT COUNT(*) FROM sys.dm_exec_requests AS r JOIN sys.dm_exec_sessions AS s ON s.session_id = r.session_id WHERE s.program_name = N'powergrid-lambda history import' AND r.wait_type LIKE N'LCK%'",
      );
      return Number(row?.[0]) > 0;
    });
    controller.abort(new Error('enough'));
    expect(['0 rows', 'enough']).toContain(await read);
    await holder.commit();
  });

  describe('incrementally', () => {
    const since = async (position: string, more: Partial<ChangesSince> = {}): Promise<ChangesSince> => ({
      position,
      fingerprint: (await sourceOf().identify(never)).fingerprint,
      ...more,
    });

    it('finds by rowversion what was added and changed, and nothing else', async () => {
      await database.run(
        'CREATE TABLE {schema}.versioned (id int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL)',
      );
      await database.run('INSERT INTO {schema}.versioned (id, v) VALUES (1, 1), (2, 2)');
      const first = await planned('versioned');
      expect((await splitRows(first.reader, first.plan)).flat()).toHaveLength(2);
      const { position } = first.reader.snapshot;
      await first.reader.close();

      const unchanged = await planned('versioned', { since: await since(position) });
      expect(unchanged.plan.estimatedRows).toBe(0);
      expect(await unchanged.reader.count(unchanged.plan, never)).toEqual({ rows: 2, chosen: 0 });
      await unchanged.reader.close();

      await database.run('INSERT INTO {schema}.versioned (id, v) VALUES (3, 3)');
      await database.run('UPDATE {schema}.versioned SET v = 20 WHERE id = 2');
      const { reader, plan } = await planned('versioned', { since: await since(unchanged.plan.upperPosition ?? '') });
      const rows = (await splitRows(reader, plan)).flat();
      expect(rows.map(([id, v]) => [id, v])).toEqual([
        ['2', '20'],
        ['3', '3'],
      ]);
      expect(await reader.count(plan, never)).toEqual({ rows: 3, chosen: 2 });
    });

    it('loses nothing that is committed late', async ({ skip }) => {
      const { consistency } = await sourceOf().identify(never);
      // Without snapshots, reading waits for the writer, and there is nothing to lose.
      if (consistency !== 'table') skip('the database does not allow snapshot isolation');
      await database.run('CREATE TABLE {schema}.late (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)');
      const late = await database.transaction();
      // It takes its rowversion now, and commits after others that took theirs later.
      await late.run('INSERT INTO {schema}.late (id) VALUES (1)');
      await database.run('INSERT INTO {schema}.late (id) VALUES (2)');
      const first = await planned('late', { since: await since('0x0000000000000000') });
      const { upperPosition = '' } = first.plan;
      expect((await splitRows(first.reader, first.plan)).flat()).toEqual([]);
      await first.reader.close();
      await late.commit();
      const { reader, plan } = await planned('late', { since: await since(upperPosition) });
      expect((await splitRows(reader, plan)).flat().map(([id]) => id)).toEqual(['1', '2']);
    });

    it('goes by a cursor column where it is told to', async () => {
      await database.run('CREATE TABLE {schema}.cursor_ (id int NOT NULL PRIMARY KEY, at datetime2(7) NULL)');
      await database.run("INSERT INTO {schema}.cursor_ VALUES (1, '2024-01-01 00:00:00.0000001'), (2, NULL)");
      const first = await planned('cursor_', { cursor: 'at' });
      const highest = await first.reader.highest(first.plan, 'at', never);
      expect(highest).toBe('2024-01-01 00:00:00.0000001');
      await first.reader.close();
      await database.run("INSERT INTO {schema}.cursor_ VALUES (3, '2024-01-01 00:00:00.0000002')");
      const from = await since('', { cursor: 'at', ...(highest === undefined ? {} : { cursorValue: highest }) });
      const { reader, plan } = await planned('cursor_', { since: from, cursor: 'at' });
      expect((await splitRows(reader, plan)).flat().map(([id]) => id)).toEqual(['3']);
      expect(await reader.count(plan, never)).toEqual({ rows: 3, chosen: 1 });
      expect(await reader.highest(plan, 'at', never)).toBe('2024-01-01 00:00:00.0000002');
    });

    it('is refused without either, and with positions of another database', async () => {
      await database.run('CREATE TABLE {schema}.plain (id int NOT NULL PRIMARY KEY)');
      const from = await since('0x0000000000000000');
      await expect(planned('plain', { since: from })).rejects.toMatchObject({ code: 'append-impossible' });
      await expect(planned('plain', { since: from, cursor: 'nope' })).rejects.toMatchObject({ code: 'unknown-column' });
      await expect(planned('plain', { since: { ...from, fingerprint: 'other' }, cursor: 'id' })).rejects.toMatchObject({
        code: 'append-impossible',
      });
    });
  });

  describe('with a connection that is refused', () => {
    // Without a server this is not used, but it is evaluated.
    const { config } = serverAddress(SQL_SERVER_URL === '' ? 'mssql://nobody@localhost' : SQL_SERVER_URL);
    const url = (changes: { password?: string; database?: string; parameters?: string }): string => {
      const [user, password, database] = [
        config.user ?? '',
        changes.password ?? config.password ?? '',
        changes.database ?? config.database ?? '',
      ].map(encodeURIComponent);
      const same = `encrypt=${String(config.options?.encrypt ?? true)}&trustServerCertificate=true`;
      return `mssql://${user ?? ''}:${password ?? ''}@${config.server}:${config.port ?? 1433}/${database ?? ''}?${changes.parameters ?? same}`;
    };

    it('says so when the password is wrong, or the database is missing', async () => {
      await expect(sourceOf(url({ password: 'wrong-Passw0rd' })).identify(never)).rejects.toMatchObject({
        code: 'source-denied',
      });
      await expect(sourceOf(url({ database: 'no_such_database' })).identify(never)).rejects.toMatchObject({
        code: 'source-denied',
      });
    });

    it.each(['encrypt=false', 'encrypt=true&trustServerCertificate=true', 'encrypt=true&trustServerCertificate=false'])(
      'works with %s, or says that TLS is refused',
      async (parameters) => {
        const outcome = await sourceOf(url({ parameters }))
          .identify(never)
          .then(
            () => 'works',
            (error: unknown) => (error as { code?: string }).code,
          );
        expect(['works', 'source-tls-refused']).toContain(outcome);
      },
    );

    it('leaves no connection behind', async () => {
      const reader = await opened();
      await reader.close();
      await eventually('the sessions end', async () => {
        const [row] = await database.run(
          "SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE program_name = N'powergrid-lambda history import'",
        );
        return Number(row?.[0]) === 0;
      });
    });
  });
});
