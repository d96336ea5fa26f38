import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PostgresSource } from '../../connectors/postgres/source.ts';
import type { SnapshotReader, TablePlan } from '../../grid/history/sql-source.ts';
import { withCode } from '../hdfs/test-bed.ts';
import { eventually } from '../support/eventually.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { copyAll, FULL, never, openSourceBed, untilGone, type SourceBed } from './source-bed.ts';

let bed: SourceBed;
let proxy: TcpProxy;
let through: PostgresSource;
const table = { schema: 'public', name: 'many' };
const APPLICATION = 'fault-test';

beforeAll(async () => {
  bed = await openSourceBed();
  await bed.sql(`
    CREATE TABLE many (id int, v text);
    INSERT INTO many SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 40000) AS n`);
  proxy = await TcpProxy.start({ targetHost: bed.url.hostname, targetPort: Number(bed.url.port) });
  const url = new URL(bed.url);
  url.host = `localhost:${proxy.port}`;
  through = bed.sourceWith({
    url: url.toString(),
    connectTimeoutMs: 1_000,
    silenceMs: 300,
    applicationName: APPLICATION,
  });
});

afterAll(async () => {
  await proxy.close();
  await bed.end();
});

beforeEach(async () => {
  await proxy.pass();
});

const ONE_SPLIT = { ...FULL, splitRows: 1_000_000 };

async function opened(): Promise<{ readonly reader: SnapshotReader; readonly plan: TablePlan }> {
  const reader = await through.read(undefined, never);
  return { reader, plan: await reader.plan(table, ONE_SPLIT, never) };
}

/** The same plan, but each row takes the server its time. */
function slow(plan: TablePlan, secondsPerRow: number): TablePlan {
  const columns = plan.columns.map((column) => ({
    ...column,
    expression: `concat(r."id", pg_sleep(${secondsPerRow}))`,
  }));
  return { ...plan, columns: columns.slice(0, 1), condition: 'r.id <= 20000 AND r.id % 100 = 0' };
}

test('a connection that is cut in the middle of a copy is unavailable, and the server notices', async () => {
  for (const afterChunks of [1, 3]) {
    const { reader, plan } = await opened();
    let chunks = 0;
    const copying = reader.copy(
      plan,
      0,
      () => {
        if (++chunks === afterChunks) proxy.cut();
        return Promise.resolve();
      },
      { verify: true, signal: never },
    );
    await expect(copying).rejects.toThrow(withCode('source-unavailable'));
    await expect(reader.count(plan, never)).rejects.toThrow(withCode('source-unavailable'));
    await reader.close();
    await untilGone(bed, APPLICATION);
  }
});

test('a server that freezes in the middle of a copy is given up', async () => {
  const { reader, plan } = await opened();
  let chunks = 0;
  const copying = reader.copy(
    plan,
    0,
    () => {
      if (++chunks === 2) proxy.hang();
      return Promise.resolve();
    },
    { verify: true, signal: never },
  );
  await expect(copying).rejects.toThrow(withCode('source-unavailable'));
  await reader.close();
});

test('a server that freezes during a query, a check, and before a login is given up', async () => {
  const { reader, plan } = await opened();
  const held = await through.hold(never);
  const counting = reader.count({ ...plan, condition: 'pg_sleep(0.0001) IS NOT NULL' }, never);
  proxy.hang();
  await Promise.all([
    expect(counting).rejects.toThrow(withCode('source-unavailable')),
    expect(held.check(never)).rejects.toThrow(withCode('snapshot-lost')),
    expect(through.read(undefined, never)).rejects.toThrow(withCode('source-unavailable')),
  ]);
  await Promise.all([held.release(), reader.close()]);
});

test('a long silence of a server that works is waited for, and so is a slow receiver', async () => {
  const { reader, plan } = await opened();
  const patient = slow(plan, 0.01);
  expect((await reader.digest(patient, 0, never)).rows).toBe(200);
  let waits = 0;
  const { rows } = await reader.copy(
    plan,
    0,
    async () => {
      if (++waits <= 2) await new Promise((resolve) => setTimeout(resolve, 1_000));
    },
    { verify: true, signal: never },
  );
  expect(rows).toBe(40_000);
  await reader.close();
});

test('an address where nothing listens, and one that does not exist, are unavailable', async () => {
  await proxy.refuse();
  await expect(through.identify(never)).rejects.toThrow(withCode('source-unavailable'));
  await expect(through.tables(never)).rejects.toThrow(withCode('source-unavailable'));
  const nowhere = bed.sourceWith({ url: 'postgresql://powergrid:secret@does-not-exist.invalid/history' });
  const failure: unknown = await nowhere.identify(never).catch((error: unknown) => error);
  expect(failure).toEqual(withCode('source-unavailable'));
  expect(String(failure)).toContain('does-not-exist.invalid');
  expect(String(failure)).not.toContain('secret');
});

test('a database that does not exist is denied, TLS that the server has not is refused', async () => {
  const url = new URL(bed.url);
  url.pathname = '/no_such_database';
  await expect(bed.sourceWith({ url: url.toString() }).identify(never)).rejects.toThrow(withCode('source-denied'));
  const tls = new URL(bed.url);
  for (const mode of ['require', 'verify-full']) {
    tls.searchParams.set('sslmode', mode);
    await expect(bed.sourceWith({ url: tls.toString() }).identify(never)).rejects.toThrow(
      withCode('source-tls-refused'),
    );
  }
});

test.each(['copy', 'digest', 'count'] as const)('aborting a %s ends the query at the server', async (kind) => {
  const { reader, plan } = await opened();
  const long = slow(plan, 0.1);
  const abort = new AbortController();
  const working = {
    copy: () => reader.copy(long, 0, () => Promise.resolve(), { verify: true, signal: abort.signal }),
    digest: () => reader.digest(long, 0, abort.signal),
    count: () => reader.count({ ...plan, condition: 'pg_sleep(0.1) IS NOT NULL' }, abort.signal),
  }[kind]();
  const outcome = expect(working).rejects.toThrow('enough');
  await eventually('the query runs', async () => {
    const sql = `SELECT 1 FROM pg_stat_activity WHERE application_name = '${APPLICATION}' AND wait_event = 'PgSleep'`;
    return (await bed.sql(sql)).length > 0;
  });
  abort.abort(new Error('enough'));
  await outcome;
  await untilGone(bed, APPLICATION);
  // The transaction goes on.
  expect((await reader.count(plan, never)).rows).toBe(40_000);
  await reader.close();
});

test('aborting ends a copy whose receiver does not return, and a wait for a lock', async () => {
  const { reader, plan } = await opened();
  const abort = new AbortController();
  const copying = reader.copy(plan, 0, () => new Promise(() => undefined), { verify: true, signal: abort.signal });
  const outcome = expect(copying).rejects.toThrow('enough');
  setTimeout(() => {
    abort.abort(new Error('enough'));
  }, 200);
  await outcome;
  await reader.close();
  await untilGone(bed, APPLICATION);

  const other = await bed.session();
  await other.query('BEGIN; LOCK TABLE many');
  const waiting = await through.read(undefined, never);
  const second = new AbortController();
  const planning = expect(waiting.plan(table, FULL, second.signal)).rejects.toThrow('enough');
  setTimeout(() => {
    second.abort(new Error('enough'));
  }, 200);
  await planning;
  await other.query('ROLLBACK');
  expect((await waiting.plan(table, FULL, never)).columns).toHaveLength(2);
  await waiting.close();
});

test('a receiver that fails stops the copy, and its error is passed on', async () => {
  const { reader, plan } = await opened();
  let chunks = 0;
  const copying = reader.copy(
    plan,
    0,
    () => (++chunks === 2 ? Promise.reject(new Error('no space left')) : Promise.resolve()),
    { verify: true, signal: never },
  );
  await expect(copying).rejects.toThrow('no space left');
  expect(chunks).toBe(2);
  expect((await copyAll(reader, plan)).lines).toHaveLength(40_000);
  await reader.close();
});

test('a signal that was aborted before starts nothing', async () => {
  const before = proxy.accepted;
  const aborted = AbortSignal.abort(new Error('too late'));
  await expect(through.identify(aborted)).rejects.toThrow('too late');
  await expect(through.hold(aborted)).rejects.toThrow('too late');
  expect(proxy.accepted).toBe(before);
});
