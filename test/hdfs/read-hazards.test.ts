import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MIB, openTestBed, pattern, withCode, writeThrough, type TestBed } from './test-bed.ts';

const bytes = pattern(6 * MIB + 11);
let bed: TestBed;
let path: string;
beforeAll(async () => {
  bed = await openTestBed();
  path = `${bed.directory}/file`;
  await writeThrough(bed.direct, path, bytes);
});
afterEach(() => {
  bed.proxy.reset();
});
afterAll(() => bed.end());

async function drain(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a read', () => {
  it.each([0, 100, 3 * MIB])('that breaks after %i bytes is an error, not an end', async (afterBytes) => {
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'cut-reply', afterBytes } });
    await expect(drain(await bed.client.read(path))).rejects.toEqual(withCode('hdfs-unavailable'));
  });

  it.each([0, 100, 3 * MIB])('that ends after %i bytes as if whole is an error', async (toBytes) => {
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'truncate-reply', toBytes } });
    await expect(drain(await bed.client.read(path))).rejects.toEqual(withCode('hdfs-unavailable'));
  });

  it('that stands still is a time-out', async () => {
    const client = bed.clientWith({ idleTimeoutMs: 500 });
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'stall-reply', afterBytes: MIB } });
    await expect(drain(await client.read(path))).rejects.toEqual(withCode('hdfs-timeout'));
  });

  it('by one who takes his time is not', async () => {
    // Longer than a busy machine keeps a DataNode from sending; he takes longer still.
    const client = bed.clientWith({ idleTimeoutMs: 5_000 });
    const stream = await client.read(path);
    const parts: Buffer[] = [];
    for await (const chunk of stream) {
      if (chunk instanceof Buffer) parts.push(chunk);
      if (parts.length === 1) await delay(8_000);
    }
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });

  it('that takes his time is cut all the same when the server stands still afterwards', async () => {
    const client = bed.clientWith({ idleTimeoutMs: 300 });
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'stall-reply', afterBytes: 2 * MIB } });
    const stream = await client.read(path);
    const slow = async (): Promise<void> => {
      let pauses = 0;
      for await (const _chunk of stream) if (pauses++ < 1) await delay(1_000);
    };
    await expect(slow()).rejects.toEqual(withCode('hdfs-timeout'));
  });

  it('is opened again when the DataNode fails before the first byte', async () => {
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'status', status: 503 }, times: 1 });
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'cut' }, times: 1 });
    expect((await drain(await bed.client.read(path))).equals(bytes)).toBe(true);
    expect(bed.proxy.count({ role: 'datanode', op: 'OPEN' })).toBe(3);
  });

  it('that is refused never gives the error as data', async () => {
    const client = bed.clientWith({ retries: 0 });
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'status', status: 500, body: '{"sorry":true}' } });
    await expect(client.read(path)).rejects.toEqual(withCode('hdfs-unavailable'));
  });

  it('that nobody wants any more lets go of its connection', async () => {
    const stream = await bed.client.read(path);
    for await (const _chunk of stream) break;
    expect(stream.destroyed).toBe(true);
  });

  it('is cut when the client closes', async () => {
    const client = bed.clientWith({});
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'stall-reply', afterBytes: MIB } });
    const outcome = expect(drain(await client.read(path))).rejects.toEqual(withCode('shutting-down'));
    await client.close();
    await outcome;
  });

  it('of a whole small file is repeated until it is whole', async () => {
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'truncate-reply', toBytes: 10 }, times: 1 });
    bed.proxy.add({ role: 'datanode', op: 'OPEN', fault: { kind: 'cut-reply', afterBytes: 10 }, times: 1 });
    expect((await bed.client.readFile(path, { maxBytes: 10 * MIB })).equals(bytes)).toBe(true);
  });
});
