import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { loadConfig } from '../../runtime/config.ts';
import { openTestBed, remoteException, withCode, type TestBed } from './test-bed.ts';

let bed: TestBed;
let number = 0;
beforeAll(async () => {
  bed = await openTestBed();
});
afterEach(async () => {
  await bed.proxy.up('namenode');
  bed.proxy.reset();
  bed.retries.length = 0;
});
afterAll(() => bed.end());

/** A small file of its own for each test. */
async function someFile(): Promise<string> {
  return (await bed.direct.writeFile(`${bed.directory}/file-${++number}`, Buffer.from('content'))).path;
}

const standby = remoteException('StandbyException', 'Operation category READ is not supported in state standby');

describe('a NameNode that answers 503', () => {
  it('is asked again, and nothing is seen of it', async () => {
    const path = await someFile();
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 503 }, times: 2 });
    expect((await bed.client.status(path))?.lengthBytes).toBe(7);
    expect(bed.retries.map(({ operation, retry }) => [operation, retry])).toEqual([
      ['GETFILESTATUS', 1],
      ['GETFILESTATUS', 2],
    ]);
  });

  it('for ever is unavailable, for each operation, after the repetitions', async () => {
    const path = await someFile();
    const client = bed.clientWith({ retries: 2 });
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 503 } });
    const calls = [
      () => client.status(path),
      () => client.checksum(path),
      () => client.readFile(path, { maxBytes: 10 }),
      () => client.delete(path),
      () => client.makeDirectory(`${bed.directory}/d`),
      () => client.create(`${path}-new`),
      () => client.writeFile(`${path}-new`, Buffer.from('x')),
      () => client.rename(path, `${path}-moved`),
      () => client.health(),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(withCode('hdfs-unavailable'));
    expect(await bed.direct.status(path)).toBeDefined();
    expect(bed.proxy.count({ op: 'DELETE' })).toBe(3);
    expect(bed.proxy.count({ op: 'RENAME' })).toBe(1);
  });
});

describe('a NameNode that is down', () => {
  it('is not taken for a missing file', async () => {
    const path = await someFile();
    const client = bed.clientWith({ retries: 1 });
    await bed.proxy.down('namenode');
    await expect(client.status(path)).rejects.toEqual(withCode('hdfs-unavailable'));
    await expect(client.readFile(path, { maxBytes: 10 })).rejects.toEqual(withCode('hdfs-unavailable'));
    await expect(client.health()).rejects.toEqual(withCode('hdfs-unavailable'));
  });

  it('and comes back is found again, even by what must not be done twice', async () => {
    const path = await someFile();
    const client = bed.clientWith({ retries: 100 });
    await bed.proxy.down('namenode');
    const renamed = client.rename(path, `${path}-moved`);
    const made = client.makeDirectory(`${bed.directory}/made-later`);
    await delay(300);
    await bed.proxy.up('namenode');
    expect(await renamed).toBe(true);
    await made;
    expect(bed.proxy.count({ op: 'RENAME' })).toBe(1);
  });
});

describe('a NameNode that says nothing', () => {
  it('is a time-out for each operation', async () => {
    const path = await someFile();
    const client = bed.clientWith({ callTimeoutMs: 300, retries: 1 });
    bed.proxy.add({ role: 'namenode', fault: { kind: 'hang' } });
    const calls = [
      () => client.status(path),
      () => client.create(`${path}-new`),
      () => client.delete(path),
      () => client.rename(path, `${path}-moved`),
      () => client.read(path),
      () => client.health(),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(withCode('hdfs-timeout'));
  });

  it('on the wire neither is a time-out too', async () => {
    const nameNode = new URL(loadConfig().WEBHDFS_URL[0] ?? '');
    const tcp = await TcpProxy.start({ targetHost: nameNode.hostname, targetPort: Number(nameNode.port) });
    const client = bed.clientWith({ nameNodeUrls: [`http://${tcp.address}`], callTimeoutMs: 1_000, retries: 0 });
    const answers = () =>
      eventually('it answers', async () => (await client.status(bed.directory))?.type === 'directory');
    await answers();
    tcp.hang();
    await expect(client.status(bed.directory)).rejects.toEqual(withCode('hdfs-timeout'));
    await tcp.pass();
    await answers();
    await tcp.refuse();
    await expect(client.status(bed.directory)).rejects.toEqual(withCode('hdfs-unavailable'));
    await tcp.pass();
    await answers();
    await tcp.close();
  });

  it('is given up when the client closes', async () => {
    const client = bed.clientWith({});
    bed.proxy.add({ role: 'namenode', fault: { kind: 'hang' } });
    const outcome = Promise.all(
      Array.from({ length: 30 }, () => expect(client.status('/x')).rejects.toEqual(withCode('shutting-down'))),
    );
    await delay(50);
    await client.close();
    await outcome;
  });
});

describe('a rename whose outcome is not known', () => {
  it('because the reply was lost is not repeated, and reported as unknown', async () => {
    const path = await someFile();
    bed.proxy.add({ op: 'RENAME', fault: { kind: 'cut-afterwards' } });
    await expect(bed.client.rename(path, `${path}-moved`)).rejects.toEqual(withCode('hdfs-unavailable'));
    expect(bed.proxy.count({ op: 'RENAME' })).toBe(1);
    expect(await bed.direct.status(`${path}-moved`)).toBeDefined();
  });

  it('because the reply does not come is not repeated, and reported as unknown', async () => {
    const path = await someFile();
    const client = bed.clientWith({ callTimeoutMs: 700 });
    bed.proxy.add({ op: 'RENAME', fault: { kind: 'hang-afterwards' } });
    await expect(client.rename(path, `${path}-moved`)).rejects.toEqual(withCode('hdfs-timeout'));
    expect(bed.proxy.count({ op: 'RENAME' })).toBe(1);
    expect(await bed.direct.status(`${path}-moved`)).toBeDefined();
  });

  it('because the reply was cut short is not repeated, and reported as unknown', async () => {
    const path = await someFile();
    bed.proxy.add({ op: 'RENAME', fault: { kind: 'truncate-reply', toBytes: 9 } });
    await expect(bed.client.rename(path, `${path}-moved`)).rejects.toEqual(withCode('hdfs-unavailable'));
    expect(bed.proxy.count({ op: 'RENAME' })).toBe(1);
  });

  it('never comes of a kept connection that has gone stale', async () => {
    for (let times = 0; times < 3; times++) await bed.client.status(bed.directory);
    expect(bed.proxy.seen({ op: 'GETFILESTATUS' }).at(-1)?.reusedConnection).toBe(true);
    const path = await someFile();
    expect(await bed.client.rename(path, `${path}-moved`)).toBe(true);
    expect(bed.proxy.seen({ op: 'RENAME' }).map((request) => request.reusedConnection)).toEqual([false]);
  });
});

describe('an answer of false', () => {
  it('to MKDIRS is an error; to RENAME and DELETE it is the answer', async () => {
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 200, body: '{"boolean":false}' } });
    await expect(bed.client.makeDirectory('/x')).rejects.toEqual(withCode('hdfs-refused'));
    expect(await bed.client.rename('/x', '/y')).toBe(false);
    expect(await bed.client.delete('/x')).toBe(false);
  });
});

describe('a reply that is cut short', () => {
  it('is asked for again', async () => {
    const path = await someFile();
    bed.proxy.add({ op: 'GETFILESTATUS', fault: { kind: 'truncate-reply', toBytes: 40 }, times: 1 });
    bed.proxy.add({ op: 'GETFILESTATUS', fault: { kind: 'cut-reply', afterBytes: 40 }, times: 1 });
    expect((await bed.client.status(path))?.lengthBytes).toBe(7);
    expect(bed.proxy.count({ op: 'GETFILESTATUS' })).toBe(3);
  });

  it('of a directory loses and doubles no entry', async () => {
    const directory = `${bed.directory}/listed`;
    await Promise.all(Array.from({ length: 20 }, (_, index) => bed.direct.makeDirectory(`${directory}/${index}`)));
    bed.proxy.add({ op: 'LISTSTATUS_BATCH', fault: { kind: 'truncate-reply', toBytes: 500 }, times: 2 });
    const names: string[] = [];
    for await (const { name } of bed.client.list(directory)) names.push(name);
    expect(names.sort()).toEqual(Array.from({ length: 20 }, (_, index) => String(index)).sort());
  });

  it('and of a deletion is asked for again: it is idempotent', async () => {
    const path = await someFile();
    bed.proxy.add({ op: 'DELETE', fault: { kind: 'cut-afterwards' }, times: 1 });
    await bed.client.delete(path);
    expect(bed.proxy.count({ op: 'DELETE' })).toBe(2);
    expect(await bed.direct.status(path)).toBeUndefined();
  });
});

describe('what a NameNode refuses', () => {
  it.each([
    ['SafeModeException', 'Cannot create directory. Name node is in safe mode.', 'hdfs-safe-mode'],
    ['AccessControlException', 'Permission denied: user=x, access=WRITE', 'hdfs-denied'],
    ['NSQuotaExceededException', 'The NameSpace quota is exceeded', 'hdfs-no-space'],
  ] as const)('by %s has its own code', async (exception, message, code) => {
    const client = bed.clientWith({ retries: 1 });
    bed.proxy.add({
      role: 'namenode',
      fault: { kind: 'status', status: 403, body: remoteException(exception, message) },
    });
    await expect(client.makeDirectory(`${bed.directory}/no`)).rejects.toEqual(withCode(code));
    await expect(client.rename('/a', '/b')).rejects.toEqual(withCode(code));
  });

  it('is not repeated when it would be refused again', async () => {
    const body = remoteException('AccessControlException', 'Permission denied');
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 403, body } });
    await expect(bed.client.status('/a')).rejects.toEqual(withCode('hdfs-denied'));
    expect(bed.proxy.count()).toBe(1);
  });

  it('as a server that is none is not a missing file', async () => {
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 404, body: '<html>Not Found</html>' } });
    await expect(bed.client.status('/a')).rejects.toEqual(withCode('hdfs-refused'));
  });
});

describe('of two NameNodes', () => {
  it('the standby is passed over, also by what must not be done twice, and not asked again', async () => {
    const second = await FaultProxy.start(loadConfig().WEBHDFS_URL[0] ?? '');
    const client = bed.clientWith({ nameNodeUrls: [bed.proxy.url, second.url], retries: 0 });
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 403, body: standby } });
    const path = await someFile();
    expect(await client.rename(path, `${path}-moved`)).toBe(true);
    expect((await client.status(`${path}-moved`))?.lengthBytes).toBe(7);
    await client.writeFile(`${path}-other`, Buffer.from('x'));
    expect((await client.health()).nameNodeUrl).toBe(second.url);
    expect(bed.proxy.count({ role: 'namenode' })).toBe(1);

    // And back, when the roles change.
    bed.proxy.reset();
    second.add({ role: 'namenode', fault: { kind: 'status', status: 403, body: standby } });
    expect((await client.status(`${path}-moved`))?.lengthBytes).toBe(7);
    expect((await client.health()).nameNodeUrl).toBe(bed.proxy.url);
    await second.close();
  });

  it('the dead one is passed over', async () => {
    const second = await FaultProxy.start(loadConfig().WEBHDFS_URL[0] ?? '');
    const client = bed.clientWith({ nameNodeUrls: [bed.proxy.url, second.url], retries: 0 });
    await bed.proxy.down('namenode');
    const path = await someFile();
    expect(await client.rename(path, `${path}-moved`)).toBe(true);
    await second.close();
  });

  it('neither is active: unavailable', async () => {
    const client = bed.clientWith({ nameNodeUrls: [bed.proxy.url, bed.proxy.url], retries: 1 });
    bed.proxy.add({ role: 'namenode', fault: { kind: 'status', status: 403, body: standby } });
    await expect(client.status('/a')).rejects.toEqual(withCode('hdfs-unavailable'));
    expect(bed.proxy.count()).toBe(4);
  });
});

describe('health', () => {
  const jmx = (state: string, dataNodes: number): string =>
    JSON.stringify({ beans: [{ FSState: state, NumLiveDataNodes: dataNodes }] });

  it('is good on the real cluster', async () => {
    const health = await bed.client.health();
    expect(health.nameNodeUrl).toBe(bed.proxy.url);
    expect(health.liveDataNodes).toBeGreaterThanOrEqual(1);
  });

  it('is bad in safe mode and without DataNodes', async () => {
    const take = bed.proxy.add({ path: '/jmx', fault: { kind: 'status', status: 200, body: jmx('safeMode', 1) } });
    await expect(bed.client.health()).rejects.toEqual(withCode('hdfs-safe-mode'));
    take();
    bed.proxy.add({ path: '/jmx', fault: { kind: 'status', status: 200, body: jmx('Operational', 0) } });
    await expect(bed.client.health()).rejects.toEqual(withCode('hdfs-unavailable'));
  });

  it('does without the details where they are closed', async () => {
    bed.proxy.add({ path: '/jmx', fault: { kind: 'status', status: 404 } });
    expect(await bed.client.health()).toEqual({ nameNodeUrl: bed.proxy.url, liveDataNodes: undefined });
  });
});
