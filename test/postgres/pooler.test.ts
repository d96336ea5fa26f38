import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PostgresSource } from '../../connectors/postgres/source.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { copyAll, FULL, never, openSourceBed, untilGone, type SourceBed } from './source-bed.ts';
import { TransactionPooler } from './transaction-pooler.ts';

const APPLICATION = 'test-postgres-pooler';
const table = { schema: 'public', name: 'pooled' };

let bed: SourceBed;
let pooler: TransactionPooler;
let through: PostgresSource;

beforeAll(async () => {
  bed = await openSourceBed();
  const { hostname, port } = new URL(loadConfig().HISTORY_POSTGRES_URL);
  pooler = await TransactionPooler.start(hostname, Number(port === '' ? 5_432 : port));
  const url = new URL(bed.url);
  url.host = `localhost:${pooler.port}`;
  through = bed.sourceWith({
    ...{ url: url.toString(), connectTimeoutMs: 5_000, silenceMs: 200, applicationName: APPLICATION },
  });
  // What sessions are like that nobody has set up.
  await bed.sql(`ALTER DATABASE ${bed.database} SET IntervalStyle = 'postgres_verbose'`);
  await bed.sql(`ALTER DATABASE ${bed.database} SET extra_float_digits = '-10'`);
  await bed.sql(`ALTER DATABASE ${bed.database} SET TimeZone = 'Asia/Tokyo'`);
  await bed.sql(`CREATE TABLE pooled (id int PRIMARY KEY, i interval, f float8, t timestamptz);
    INSERT INTO pooled SELECT n, '1 month 3 days 04:00', 0.1 + n / 3.0, '2024-01-01 00:00:00+00' FROM generate_series(1, 3000) n`);
});

afterAll(async () => {
  await pooler.close();
  await bed.end();
});

test('through a pooler rows are the same text as without, at one snapshot, and nothing is left behind for others', async () => {
  const direct = await bed.reader();
  const expected = await copyAll(direct, await direct.plan(table, FULL, never));
  expect(expected.lines[0]).toBe('1\tP1M3DT4H\t0.43333333333333335\t2024-01-01 00:00:00');
  const identity = await through.identify(never);
  expect(identity.notes).toEqual([expect.stringContaining('connection pooler')]);
  expect((await bed.source.identify(never)).notes).toEqual([]);
  expect(identity.fingerprint).toBe((await bed.source.identify(never)).fingerprint);
  expect(await through.tables(never)).toEqual(await bed.source.tables(never));
  const held = await through.hold(never);
  await bed.sql(`INSERT INTO pooled VALUES (0, NULL, NULL, NULL)`);
  for (let reading = 1; reading <= 2; reading++) {
    const reader = await through.read(held.snapshot, never);
    const plan = await reader.plan(table, FULL, never);
    expect(await reader.count(plan, never)).toEqual({ rows: 3_000, chosen: 3_000 });
    expect((await copyAll(reader, plan)).text).toBe(expected.text);
    await reader.close();
  }
  await held.check(never);
  await held.release();
  await bed.sql('DELETE FROM pooled WHERE id = 0');
  expect([...pooler.leftBehind]).toEqual([]);
});

test('through a pooler a long silence of a server that works is waited for', async () => {
  const reader = await through.read(undefined, never);
  const locker = await bed.session();
  await locker.query('BEGIN; LOCK TABLE pooled IN ACCESS EXCLUSIVE MODE');
  const before = pooler.logins;
  const planning = reader.plan(table, FULL, never);
  const asked = await eventually('the server was asked three times', () => pooler.logins >= before + 3, 20_000, 20);
  await locker.query('ROLLBACK');
  expect(asked).toBe(true);
  expect((await planning).columns).toHaveLength(4);
  await reader.close();
});

test('through a pooler what is cancelled ends at the server', async () => {
  const reader = await through.read(undefined, never);
  const locker = await bed.session();
  await locker.query('BEGIN; LOCK TABLE pooled IN ACCESS EXCLUSIVE MODE');
  const cancelling = new AbortController();
  const reason = new Error('enough');
  const planning = reader.plan(table, FULL, cancelling.signal);
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${APPLICATION}' AND wait_event_type = 'Lock'`;
  await eventually('the reader waits for the lock', async () => (await bed.sql(waiting))[0]?.[0] === '1', 10_000, 20);
  cancelling.abort(reason);
  await expect(planning).rejects.toBe(reason);
  await untilGone(bed, APPLICATION);
  await locker.query('ROLLBACK');
  // Cancelled, not cut: the session is still of use.
  await expect(reader.plan(table, FULL, never)).resolves.toMatchObject({ key: ['id'] });
  await reader.close();
});
