import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseHiveUrl } from '../../connectors/hive/address.ts';
import { HiveClient, qualifiedName, quoteString, type HiveOptions } from '../../connectors/hive/hive.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { withCode } from '../hdfs/test-bed.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const DATABASE = `test_hive_${randomUUID().slice(0, 8)}`;
/** Runs for half a minute where nobody ends it. */
const SLOW = "SELECT reflect('java.lang.Thread', 'sleep', CAST(30000 AS BIGINT))";
const clients: HiveClient[] = [];
let proxy: TcpProxy;

function clientWith(options: Partial<HiveOptions> = {}): HiveClient {
  const { HIVE_URL, HDFS_USER } = loadConfig();
  const logger = createLogger({ name: 'test', level: 'warn', format: 'json' });
  const client = new HiveClient({ url: HIVE_URL, user: HDFS_USER, callTimeoutMs: 240_000, logger, ...options });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  const { HIVE_URL, HDFS_USER } = loadConfig();
  const { host, port } = parseHiveUrl(HIVE_URL, HDFS_USER);
  proxy = await TcpProxy.start({ targetHost: host, targetPort: port });
});
afterEach(() => proxy.pass());
afterAll(async () => {
  await clientWith().execute(`DROP DATABASE IF EXISTS ${DATABASE} CASCADE`);
  await Promise.all(clients.map((client) => client.close()));
  await proxy.close();
});

describe('a query', () => {
  it('gives every type as exact text, and NULL as null', async () => {
    const fields = [
      ['CAST(9223372036854775807 AS BIGINT)', '9223372036854775807'],
      ["CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18))", '12345678901234567890.123456789012345678'],
      ['CAST(0.1 AS DOUBLE)', '0.1'],
      ["CAST('NaN' AS DOUBLE)", 'NaN'],
      ['CAST(1 AS TINYINT)', '1'],
      ["CAST('abc' AS BINARY)", 'YWJj'],
      ["TIMESTAMP '2024-02-29 23:59:59.123456789'", '2024-02-29 23:59:59.123456789'],
      ["DATE '0001-01-01'", '0001-01-01'],
      ['CAST(NULL AS STRING)', null],
      ["''", ''],
    ] as const;
    const rows = await clientWith().rows(`SELECT ${fields.map(([sql]) => sql).join(', ')}`);
    expect(rows).toEqual([fields.map(([, text]) => text)]);
  });

  it('keeps the sign of a zero', async () => {
    // Computed from a row, since Hive itself folds a constant to 0.
    const rows = await clientWith().rows('SELECT pos * CAST(-1 AS DOUBLE) FROM (SELECT posexplode(array(7))) t');
    expect(rows).toEqual([['-0']]);
  });

  it('keeps every string that is quoted', async () => {
    const text = 'it\'s "quoted" `so` \\ \n\t\r ${hiveconf:x} ü😀 \u0001';
    expect(await clientWith().rows(`SELECT ${quoteString(text)}`)).toEqual([[text]]);
  });

  it('of more than a page gives all rows, a page at a time, and may be left early', async () => {
    const client = clientWith({ maxSessions: 1 });
    const many = 'SELECT pos FROM (SELECT posexplode(split(space(3499), " "))) t';
    const seen: (string | null)[] = [];
    for await (const [value] of client.query(many)) seen.push(value ?? null);
    expect(seen).toEqual(Array.from({ length: 3_500 }, (_, index) => String(index)));
    for await (const _ of client.query(many)) break;
    // Its session is free again.
    expect(await client.rows('SELECT 1')).toEqual([['1']]);
  });
});

describe('a statement', () => {
  it('that Hive refuses is told by its own sentence, and its session goes on', async () => {
    const client = clientWith({ maxSessions: 1 });
    await expect(client.execute('SELEC 1')).rejects.toEqual(withCode('hive-refused'));
    await expect(client.rows('SELECT * FROM nowhere')).rejects.toThrow(/Table not found 'nowhere'/);
    await expect(client.rows('SELECT assert_true(false)')).rejects.toThrow(/ASSERT_TRUE\(\): assertion failed/);
    expect(await client.rows('SELECT 1')).toEqual([['1']]);
  });

  it('that fails since a server behind Hive is down is one to try again', async () => {
    const client = clientWith();
    await client.execute(`CREATE DATABASE ${DATABASE}`);
    const elsewhere = `CREATE EXTERNAL TABLE ${qualifiedName(DATABASE, 'date')} (a INT) LOCATION 'hdfs://localhost:1/x'`;
    await expect(client.execute(elsewhere)).rejects.toMatchObject({ code: 'hive-unavailable', retryable: true });
  });

  it('runs with the settings and the database of the address', async () => {
    const { HIVE_URL } = loadConfig();
    const client = clientWith({ url: `${HIVE_URL}/default?hive.exec.parallel.thread.number=3` });
    expect(await client.rows('SET hive.exec.parallel.thread.number')).toEqual([['hive.exec.parallel.thread.number=3']]);
    expect(await client.rows('SET hive.execution.engine')).toEqual([['hive.execution.engine=mr']]);
  });

  it('that is cancelled ends at once with the reason, and is ended at the server', async () => {
    const client = clientWith({ maxSessions: 1 });
    const cancelling = new AbortController();
    const reason = new Error('no longer wanted');
    const running = client.rows(SLOW, { signal: cancelling.signal });
    setTimeout(() => {
      cancelling.abort(reason);
    }, 300);
    await expect(running).rejects.toBe(reason);
    await expect(client.rows('SELECT 1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    // The one session is free for others.
    expect(await client.rows('SELECT 1')).toEqual([['1']]);
  });

  it('that takes too long is given up', async () => {
    const client = clientWith({ callTimeoutMs: 1_500 });
    await expect(client.rows(SLOW)).rejects.toMatchObject({ code: 'hive-timeout', retryable: true });
  });

  it('waits for a session while all are in use', async () => {
    const client = clientWith({ maxSessions: 2 });
    const values = ['1', '2', '3', '4', '5'];
    const rows = await Promise.all(values.map((value) => client.rows(`SELECT ${value}`)));
    expect(rows).toEqual(values.map((value) => [[value]]));
  });
});

describe('a connection', () => {
  it('that breaks ends what waits on it, and the next statement makes a new one', async () => {
    const client = clientWith({ url: `hive2://${proxy.address}` });
    expect(await client.rows('SELECT 1')).toEqual([['1']]);
    const running = expect(client.rows(SLOW)).rejects.toEqual(withCode('hive-unavailable'));
    setTimeout(() => {
      proxy.cut();
    }, 300);
    await running;
    expect(await client.rows('SELECT 2')).toEqual([['2']]);
    // Idle ones break as well.
    proxy.cut();
    await expect.poll(() => client.rows('SELECT 3').catch(() => 'broken')).toEqual([['3']]);
  });

  it('that nobody answers is given up in time, refused or silent', async () => {
    const client = clientWith({ url: `hive2://${proxy.address}`, connectTimeoutMs: 500, callTimeoutMs: 700 });
    proxy.hang();
    await expect(client.rows('SELECT 1')).rejects.toEqual(withCode('hive-timeout'));
    await proxy.refuse();
    await expect(client.rows('SELECT 1')).rejects.toEqual(withCode('hive-unavailable'));
    const nowhere = clientWith({ url: 'hive2://no-such-host.invalid' });
    await expect(nowhere.rows('SELECT 1')).rejects.toEqual(withCode('hive-unavailable'));
  });

  it('by another way of signing in than the server has is given up', async () => {
    const client = clientWith({ url: `hive2://me:secret@${proxy.address}`, connectTimeoutMs: 500 });
    const refusal = client.rows('SELECT 1');
    await expect(refusal).rejects.toMatchObject({
      code: expect.stringMatching(/^hive-(?:timeout|unavailable)$/) as string,
    });
    await expect(refusal).rejects.not.toThrow(/secret/);
  });

  it('is closed when nobody needs it any more', async () => {
    const client = clientWith({ url: `hive2://${proxy.address}`, idleMs: 100 });
    await client.rows('SELECT 1');
    await expect.poll(() => proxy.open).toBe(0);
    expect(await client.rows('SELECT 2')).toEqual([['2']]);
  });

  it('is gone after close(), with what ran on it', async () => {
    const client = clientWith({ url: `hive2://${proxy.address}` });
    const running = expect(client.rows(SLOW)).rejects.toEqual(withCode('shutting-down'));
    await expect.poll(() => proxy.open).toBe(1);
    await client.close();
    await running;
    await expect(client.execute('SELECT 1')).rejects.toEqual(withCode('shutting-down'));
    await expect.poll(() => proxy.open).toBe(0);
  });
});
