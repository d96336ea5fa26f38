import { afterAll, beforeAll, expect, test } from 'vitest';
import { withCode } from '../hdfs/test-bed.ts';
import { FULL, never, openSourceBed, type SourceBed } from './source-bed.ts';

let bed: SourceBed;
const MIB = 1 << 20;

beforeAll(async () => {
  bed = await openSourceBed();
});

afterAll(async () => {
  await bed.end();
});

test('a row of many megabytes streams through without being held', async () => {
  await bed.sql(
    `CREATE TABLE big (id int, v text); INSERT INTO big VALUES (1, repeat('0123456789abcdef', ${4 * MIB}))`,
  );
  const reader = await bed.reader();
  const plan = await reader.plan({ schema: 'public', name: 'big' }, FULL, never);
  const held = (): number => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  const before = held();
  let most = 0;
  let largestChunk = 0;
  const { textBytes, rows } = await reader.copy(
    plan,
    0,
    (chunk) => {
      most = Math.max(most, held());
      largestChunk = Math.max(largestChunk, chunk.length);
      return new Promise((resolve) => setImmediate(resolve));
    },
    { verify: true, signal: never },
  );
  expect({ textBytes, rows }).toEqual({ textBytes: 64 * MIB + 3, rows: 1 });
  expect(largestChunk).toBeLessThan(2 * MIB);
  expect(most - before).toBeLessThan(48 * MIB);
  await reader.close();
});

test('blocks and pages that are too large to be made are read in smaller pieces, and a row that is too large is named', async () => {
  await bed.sql(
    `CREATE TABLE huge (id int); INSERT INTO huge SELECT n FROM generate_series(1, 3000) AS n; DELETE FROM huge WHERE id > 1500 AND id < 2500`,
  );
  const reader = await bed.reader();
  const plan = await reader.plan({ schema: 'public', name: 'huge' }, { ...FULL, splitRows: 100_000 }, never);
  const [column] = plan.columns;
  if (column === undefined) throw new Error('no column');
  /** The plan with a text of more than 1 GiB in each row for which `condition` holds. */
  const tooLargeWhere = (condition: string): typeof plan => ({
    ...plan,
    columns: [
      { ...column, expression: `CASE WHEN ${condition} THEN repeat('xx', 2000000000 + 0 * r.id) ELSE r.id::text END` },
    ],
    splits: plan.splits.map((split) => ({ ...split, pagesPerBlock: 4 })),
  });
  const copied = async (changed: typeof plan): Promise<string[]> => {
    const chunks: Buffer[] = [];
    const write = (chunk: Buffer): Promise<void> => Promise.resolve(void chunks.push(Buffer.from(chunk)));
    const { rows, digest } = await reader.copy(changed, 0, write, { verify: true, signal: never });
    expect(await reader.digest(changed, 0, never)).toEqual({ rows, digest });
    return Buffer.concat(chunks).toString().trimEnd().split('\n');
  };
  const expected = (await bed.sql('SELECT id FROM huge ORDER BY ctid')).map(([id]) => id);
  // Statements that read whole blocks fail, those that read pages do not; then only those that read rows do not.
  expect(await copied(tooLargeWhere(`r.id IN (300, 1200) AND current_query() LIKE '%, 4) A' || 'S b%'`))).toEqual(
    expected,
  );
  expect(
    await copied(tooLargeWhere(`r.id IN (1, 2700, 3000) AND current_query() NOT LIKE '%r.ctid' || ' = %'`)),
  ).toEqual(expected);
  const failure: unknown = await copied(tooLargeWhere('r.id = 700')).catch((error: unknown) => error);
  expect(failure).toEqual(withCode('row-too-large'));
  const [[ctid] = []] = await bed.sql('SELECT ctid FROM huge WHERE id = 700');
  expect(String(failure)).toContain(`ctid ${ctid ?? ''} of public.huge`);
  // The reader is as good as before.
  expect(await copied(plan)).toEqual(expected);
  await reader.close();
});
