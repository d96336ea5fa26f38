import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createImportActivities } from '../../activities/import/create.ts';
import { sourcesFromConfig } from '../../activities/import/open/open-source.ts';
import type { ImportInput } from '../../workflows/import/input.ts';
import { loadConfig } from '../../runtime/config.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { ImportBed } from './import-bed.ts';

let bed: ImportBed;
beforeAll(async () => {
  bed = await ImportBed.open();
  await bed.createTable('readings', 10);
  await bed.createTable('stations', 10);
});
afterAll(() => bed.end());

const open = (input: Partial<ImportInput> = {}) =>
  bed.inActivity((activities) => activities.openImport(bed.run(input)));
const failure = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ code, retryable: false, message: expect.stringMatching(message) as unknown });

/** Opens with another address of the source. */
async function openAt(change: (url: URL) => void) {
  const url = new URL(bed.config.HISTORY_POSTGRES_URL);
  change(url);
  const config = { ...bed.config, HISTORY_POSTGRES_URL: url.href };
  const deps = { ...bed.deps, openSource: await sourcesFromConfig(config, bed.deps.logger) };
  return bed.inActivity(() => createImportActivities(deps).openImport(bed.run()));
}

describe('opening an import', () => {
  it('finds the tables and tells what the source is', async () => {
    expect(await open()).toMatchObject({
      product: expect.stringMatching(/^PostgreSQL \d+/) as unknown,
      source: 'postgres',
      sharedSnapshots: true,
      consistency: 'database',
      tables: [
        { schema: 'public', name: 'readings' },
        { schema: 'public', name: 'stations' },
      ],
      skipped: [],
      maxConnections: 3,
    });
  });

  it('takes no more connections than are configured, and says so', async () => {
    const opened = await open({ maxConnections: 50 });
    expect(opened.maxConnections).toBe(3);
    expect(opened.notes).toContain('50 connections were asked for; HISTORY_MAX_CONNECTIONS allows 3.');
    expect((await open({ maxConnections: 2, maxBytesPerSecond: 1_000 })).maxBytesPerSecond).toBe(1_000);
  });

  it.each<[string, Partial<ImportInput>, unknown]>([
    [
      'an unknown table',
      { tables: ['reading'] },
      failure('unknown-table', /reading \(did you mean public\.readings\?\)/),
    ],
    ['a source that is not configured', { source: 'sqlserver' }, failure('invalid-configuration', /HISTORY_MSSQL_URL/)],
    ['one connection', { maxConnections: 1 }, failure('invalid-input', /at least 2/)],
    ['reconcile without merge', { reconcile: true }, failure('invalid-input', /mode merge/)],
  ])('refuses %s', async (_, input, expected) => {
    await expect(open(input)).rejects.toEqual(expected);
  });

  it('refuses a host that cannot be reached for good, after some seconds, and never tells a password', async () => {
    const password = `secret-${randomUUID()}`;
    const errors = await Promise.all(
      [(url: URL) => (url.port = '1'), (url: URL) => (url.hostname = 'nowhere.invalid')].map((change) =>
        openAt((url) => {
          url.password = password;
          change(url);
        }).catch((error: unknown) => error),
      ),
    );
    expect(errors).toEqual([failure('source-unreachable', /:1\b/), failure('source-unreachable', /nowhere\.invalid/)]);
    expect(inspect(errors, { depth: 10 })).not.toContain(password);
  });

  it('refuses a database that is not there, a role that may not connect, and a server without TLS where that is asked for', async () => {
    await expect(openAt((url) => (url.pathname = '/nothing_like_it'))).rejects.toEqual(
      failure('source-denied', /nothing_like_it/),
    );
    await expect(openAt((url) => (url.username = 'nobody_like_that'))).rejects.toEqual(
      failure('source-denied', /nobody_like_that/),
    );
    const withTls = (url: URL): void => {
      url.searchParams.set('sslmode', 'require');
    };
    await expect(openAt(withTls)).rejects.toEqual(failure('source-tls-refused', /TLS|SSL/));
  });

  it('waits some seconds for a source that is just starting', async () => {
    const { hostname, port } = new URL(bed.config.HISTORY_POSTGRES_URL);
    const proxy = await TcpProxy.start({ targetHost: hostname, targetPort: Number(port) });
    try {
      await proxy.refuse();
      const opening = openAt((url) => (url.port = String(proxy.port)));
      setTimeout(() => void proxy.pass(), 1_500);
      expect((await opening).tables).toHaveLength(2);
    } finally {
      await proxy.close();
    }
  });

  it('wants HDFS to answer, and is worth another try when it does not', async () => {
    bed.proxy.add({ role: 'namenode', fault: { kind: 'cut' } });
    try {
      await expect(open()).rejects.toEqual(expect.objectContaining({ code: 'hdfs-unavailable', retryable: true }));
    } finally {
      bed.proxy.reset();
    }
  });

  it('leaves out what it may not read, unless that was asked for by name', async () => {
    const role = await bed.createRole('reader');
    await bed.sql.query(`GRANT SELECT ON stations TO ${role}`);
    bed.role = role;
    try {
      expect(await open()).toMatchObject({
        tables: [{ schema: 'public', name: 'stations' }],
        skipped: [{ table: { schema: 'public', name: 'readings' }, reason: 'There is no right to read it.' }],
      });
      await expect(open({ tables: ['readings'] })).rejects.toEqual(failure('source-denied', /public\.readings/));
    } finally {
      bed.role = undefined;
    }
  });

  it('leaves nothing in HDFS', async () => {
    await open();
    expect(await bed.namesIn(`${bed.importsDirectory}/.tmp`)).toEqual([]);
  });
});

describe('work that was given up long ago', () => {
  it('is deleted, but neither recent work nor that of runs which wait nor what is taken up', async () => {
    const table = { schema: 'public', name: 'readings' };
    const { snapshot } = await bed.hold();
    const [old, recent, waiting, resumed] = [
      bed.run(),
      bed.run(),
      bed.run({ onParked: 'wait', parkedWaitHours: 24 * 100 }),
      bed.run(),
    ];
    for (const run of [old, recent, waiting, resumed]) await bed.plan(run, table, snapshot);
    const monthAgoMs = Date.now() - 30 * 86_400_000;
    for (const run of [old, waiting, resumed]) {
      const { root } = bed.work(run, table);
      await age(root, monthAgoMs);
    }
    await bed.inActivity((activities) => activities.openImport(bed.run({ resume: resumed.runId })));
    const left = await Promise.all(
      [old, recent, waiting, resumed].map(
        async (run) => (await bed.direct.status(bed.work(run, table).root)) !== undefined,
      ),
    );
    // What waits is kept for as long as it may wait, which began a moment ago.
    expect(left).toEqual([false, true, true, true]);
  });
});

describe('discarding work', () => {
  it("deletes all of a run's, and nobody else's", async () => {
    const tables = ['readings', 'stations'].map((name) => ({ schema: 'public', name }));
    const { snapshot } = await bed.hold();
    const [mine, other] = [bed.run(), bed.run()];
    for (const table of tables) {
      await bed.plan(mine, table, snapshot);
      await bed.plan(other, table, snapshot);
    }
    const left = (run: typeof mine) =>
      Promise.all(tables.map(async (table) => (await bed.direct.status(bed.work(run, table).root)) !== undefined));
    await bed.inActivity((activities) => activities.discardWork({ run: mine, tables: tables.slice(0, 1) }));
    expect(await left(mine)).toEqual([false, true]);
    await bed.inActivity((activities) => activities.discardWork({ run: mine }));
    await bed.inActivity((activities) => activities.discardWork({ run: mine }));
    expect(await left(mine)).toEqual([false, false]);
    expect(await left(other)).toEqual([true, true]);
  });
});

/** Makes a directory and all in it look as if last touched then. */
async function age(path: string, timeMs: number): Promise<void> {
  const { WEBHDFS_URL, HDFS_USER } = loadConfig();
  for await (const entry of bed.direct.list(path)) {
    if (entry.type === 'directory') await age(entry.path, timeMs);
    else await setTimes(entry.path);
  }
  await setTimes(path);

  async function setTimes(target: string): Promise<void> {
    const query = `op=SETTIMES&user.name=${HDFS_USER}&modificationtime=${timeMs}`;
    const url = `${WEBHDFS_URL[0] ?? ''}/webhdfs/v1${encodeURI(target)}?${query}`;
    const { status } = await fetch(url, { method: 'PUT' });
    expect(status).toBe(200);
  }
}
