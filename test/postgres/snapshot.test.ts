import { afterAll, beforeAll, expect, test } from 'vitest';
import { withCode } from '../hdfs/test-bed.ts';
import { copyAll, FULL, never, openSourceBed, rowsOf, type SourceBed } from './source-bed.ts';

let bed: SourceBed;
const table = { schema: 'public', name: 'busy' };

beforeAll(async () => {
  bed = await openSourceBed();
  await bed.sql(`
    CREATE TABLE busy (id int PRIMARY KEY, v text) WITH (fillfactor = 70);
    INSERT INTO busy SELECT n, repeat(md5(n::text), 5) FROM generate_series(1, 20000) AS n`);
});

afterAll(async () => {
  await bed.end();
});

test('several readers under one snapshot read exactly it, while rows are written, updated, deleted and vacuumed', async () => {
  const held = await bed.source.hold(never);
  const control = await bed.session();
  await rowsOf(control, `BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '${held.snapshot.id}'`);
  const expected = (await rowsOf(control, `SELECT id || E'\\t' || v FROM busy`)).map(([line]) => line).toSorted();

  let ended = false;
  const writers = [1, 2].map(async (writer) => {
    const client = await bed.session();
    for (let turn = 1; !ended; turn++) {
      const from = (turn * 7_919 * writer) % 20_000;
      await rowsOf(client, `UPDATE busy SET v = 'changed ${turn}' WHERE id BETWEEN ${from} AND ${from + 300}`);
      await rowsOf(client, `DELETE FROM busy WHERE id BETWEEN ${from + 400} AND ${from + 450}`);
      await rowsOf(
        client,
        `INSERT INTO busy SELECT ${100_000 * writer + turn * 10} + n, 'new' FROM generate_series(0, 9) AS n`,
      );
      if (turn % 5 === 0) await rowsOf(client, 'VACUUM busy');
    }
  });

  const planner = await bed.source.read(held.snapshot, never);
  const plan = await planner.plan(table, FULL, never);
  const readers = [planner, ...(await Promise.all([1, 2].map(() => bed.source.read(held.snapshot, never))))];
  expect(plan.splits.length).toBeGreaterThan(10);
  const lines: string[] = [];
  let next = 0;
  await Promise.all(
    readers.map(async (reader) => {
      for (let split = next++; split < plan.splits.length; split = next++) {
        const chunks: Buffer[] = [];
        const write = (chunk: Buffer): Promise<void> => Promise.resolve(void chunks.push(Buffer.from(chunk)));
        const copied = await reader.copy(plan, split, write, { verify: true, signal: never });
        expect(await reader.digest(plan, split, never)).toEqual({ rows: copied.rows, digest: copied.digest });
        const text = Buffer.concat(chunks).toString();
        if (text !== '') lines.push(...text.trimEnd().split('\n'));
      }
    }),
  );
  expect(await planner.count(plan, never)).toEqual({ rows: 20_000, chosen: 20_000 });
  ended = true;
  await Promise.all(writers);
  expect(lines.toSorted()).toEqual(expected);
  const [[now] = []] = await bed.sql('SELECT count(*) FROM busy');
  expect(now).not.toBe('20000');

  await held.check(never);
  await held.release();
  await Promise.all(readers.map((reader) => reader.close()));
});

test('splits that did not change keep their digest at a later snapshot, others do not', async () => {
  await bed.sql(
    `CREATE TABLE still (id int, v text); INSERT INTO still SELECT n, md5(n::text) FROM generate_series(1, 5000) AS n`,
  );
  const first = await bed.reader();
  const plan = await first.plan({ schema: 'public', name: 'still' }, FULL, never);
  const { splits: before } = await copyAll(first, plan);
  await first.close();
  await bed.sql(`UPDATE still SET v = 'changed' WHERE ctid = '(1,1)'; INSERT INTO still VALUES (9999, 'new')`);
  await bed.sql('VACUUM FREEZE still');
  const second = await bed.reader();
  const differing = [];
  for (const [split, digest] of before.entries()) {
    const now = await second.digest(plan, split, never);
    if (now.digest !== digest.digest || now.rows !== digest.rows) differing.push(split);
  }
  await second.close();
  expect(differing).toEqual([0, before.length - 1]);
});

test('a snapshot that is gone, was never there, or is another one of the same name is lost', async () => {
  const held = await bed.source.hold(never);
  const { snapshot } = held;
  await (await bed.source.read(snapshot, never)).close();
  const renamed = { ...snapshot, position: '3:3:' };
  await expect(bed.source.read(renamed, never)).rejects.toThrow(withCode('snapshot-lost'));
  await expect(bed.source.read({ ...snapshot, id: `'; DROP TABLE busy; --` }, never)).rejects.toThrow(
    withCode('snapshot-lost'),
  );
  await expect(bed.source.read({ ...snapshot, id: '00000003-00000001-1' }, never)).rejects.toThrow(
    withCode('snapshot-lost'),
  );
  await held.release();
  await expect(bed.source.read(snapshot, never)).rejects.toThrow(withCode('snapshot-lost'));
  await expect(held.check(never)).rejects.toThrow(withCode('snapshot-lost'));
});

test('a keeper whose session was ended by the server says so at once', async () => {
  const held = await bed.sourceWith({ applicationName: 'kept-then-killed' }).hold(never);
  await held.check(never);
  await bed.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kept-then-killed'`);
  await expect(held.check(never)).rejects.toThrow(withCode('snapshot-lost'));
  await held.release();
});

test('closing the source closes what it has open', async () => {
  const source = bed.sourceWith({ applicationName: 'closed-as-a-whole' });
  await source.hold(never);
  await source.read(undefined, never);
  await source.close();
  const [[left] = []] = await bed.sql(
    `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closed-as-a-whole'`,
  );
  expect(left).toBe('0');
});
