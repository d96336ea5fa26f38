import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../grid/errors.ts';
import type { Fault } from '../support/fault-proxy.ts';
import { MIB, openTestBed, pattern, remoteException, withCode, writeThrough, type TestBed } from './test-bed.ts';

let bed: TestBed;
beforeAll(async () => {
  bed = await openTestBed();
});
afterEach(() => {
  bed.proxy.reset();
});
afterAll(() => bed.end());

const bytes = pattern(2 * MIB + 77);
let number = 0;

/** Writes through the harm, expects the error, then writes again without it and expects every byte. */
async function expectTypedAndRepeatable(fault: Fault, code: ErrorCode): Promise<void> {
  const path = `${bed.directory}/file-${++number}`;
  bed.proxy.add({ role: 'datanode', op: 'CREATE', fault });
  await expect(writeThrough(bed.client, path, bytes)).rejects.toEqual(withCode(code));
  expect(bed.proxy.count({ role: 'datanode', op: 'CREATE' }), 'a stream is not repeated blindly').toBe(1);
  bed.proxy.reset();
  // A DataNode closes what it has of a broken stream a moment later, and holds the lease until then.
  await bed.direct.delete(path);
  await writeThrough(bed.client, path, bytes);
  expect((await bed.direct.readFile(path, { maxBytes: bytes.length })).equals(bytes)).toBe(true);
}

describe('a DataNode that answers a write with an error', () => {
  const answers: readonly [number, ErrorCode][] = [
    [429, 'hdfs-unavailable'],
    [500, 'hdfs-unavailable'],
    [502, 'hdfs-unavailable'],
    [503, 'hdfs-unavailable'],
    [504, 'hdfs-timeout'],
    [507, 'hdfs-no-space'],
    [403, 'hdfs-denied'],
    [200, 'hdfs-refused'],
  ];

  it.each(answers)('%i at once: the write fails as %s', async (status, code) => {
    await expectTypedAndRepeatable({ kind: 'status', status, early: true, body: 'no' }, code);
  });

  it.each(answers)('%i in place of its 201: the write fails as %s', async (status, code) => {
    await expectTypedAndRepeatable({ kind: 'status-afterwards', status, body: 'no' }, code);
  });

  it.each([
    ['DSQuotaExceededException', 'The DiskSpace quota of /x is exceeded', 'hdfs-no-space'],
    [
      'IOException',
      'File /x could only be written to 0 of the 1 minReplication nodes. There are 1 datanode(s) running and no node(s) are excluded',
      'hdfs-no-space',
    ],
    ['LeaseExpiredException', 'Client (=a) is not the lease owner (=b)', 'fenced'],
    ['SafeModeException', 'Cannot add block. Name node is in safe mode.', 'hdfs-safe-mode'],
    ['AccessControlException', 'Permission denied: user=x', 'hdfs-denied'],
  ] as const)('%s: the write fails by its meaning', async (exception, message, code) => {
    await expectTypedAndRepeatable(
      { kind: 'status-afterwards', status: 403, body: remoteException(exception, message) },
      code,
    );
  });

  it('201 before it has the whole file: the write fails', async () => {
    await expectTypedAndRepeatable({ kind: 'status', status: 201, early: true }, 'hdfs-unavailable');
  });
});

describe('a DataNode that breaks off', () => {
  it('before it has anything: the write fails', async () => {
    await expectTypedAndRepeatable({ kind: 'cut' }, 'hdfs-unavailable');
  });

  it.each([1, 500_000, 2 * MIB])('after %i bytes: the write fails', async (afterBytes) => {
    await expectTypedAndRepeatable({ kind: 'cut-request', afterBytes }, 'hdfs-unavailable');
  });

  it('just before it answers: the write fails, though the file is whole', async () => {
    await expectTypedAndRepeatable({ kind: 'cut-afterwards' }, 'hdfs-unavailable');
  });

  it('after the head of its answer: what counts is what lies in HDFS', async () => {
    const path = `${bed.directory}/cut-reply`;
    bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'cut-reply', afterBytes: 0 } });
    const written = await writeThrough(bed.client, path, bytes).catch((error: unknown) => error);
    if (written instanceof Error) expect(written).toEqual(withCode('hdfs-unavailable'));
    else expect((await bed.direct.readFile(path, { maxBytes: bytes.length })).equals(bytes)).toBe(true);
  });

  it('and stays away is unavailable, and found again when it is back', async () => {
    const path = `${bed.directory}/gone`;
    await bed.client.writeFile(`${bed.directory}/before`, Buffer.from('x'));
    await bed.proxy.down('datanode');
    await expect(bed.client.create(path)).rejects.toEqual(withCode('hdfs-unavailable'));
    await expect(bed.client.writeFile(path, Buffer.from('x'))).rejects.toEqual(withCode('hdfs-unavailable'));
    expect(await bed.direct.status(path)).toBeUndefined();
    await bed.proxy.up('datanode');
    await writeThrough(bed.client, path, bytes);
  });

  it('while the file is open and idle is noticed at the next write or at the end', async () => {
    const writer = await bed.client.create(`${bed.directory}/idle`);
    await writer.write(pattern(1_000));
    await bed.proxy.down('datanode');
    await bed.proxy.up('datanode');
    await expect(writer.close()).rejects.toEqual(withCode('hdfs-unavailable'));
    await expect(writer.write(Buffer.from('x'))).rejects.toEqual(withCode('hdfs-unavailable'));
  });
});

describe('a DataNode that falls silent', () => {
  it('in the middle: the write fails in time, and takes no more than the system buffers', async () => {
    const client = bed.clientWith({ idleTimeoutMs: 700 });
    bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'stall-request', afterBytes: 100_000 } });
    const writer = await client.create(`${bed.directory}/stalled`);
    const chunk = pattern(MIB);
    let taken = 0;
    const endless = async (): Promise<void> => {
      for (;;) {
        await writer.write(chunk);
        taken += chunk.length;
      }
    };
    await expect(endless()).rejects.toEqual(withCode('hdfs-timeout'));
    expect(taken).toBeLessThan(64 * MIB);
    await writer.abort();
  });

  it('at the end: closing fails in time', async () => {
    const client = bed.clientWith({ idleTimeoutMs: 700 });
    bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'hang-afterwards' } });
    await expect(writeThrough(client, `${bed.directory}/silent-end`, bytes)).rejects.toEqual(withCode('hdfs-timeout'));
  });

  it('at the start: creating fails in time', async () => {
    const client = bed.clientWith({ callTimeoutMs: 700 });
    bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'hang' } });
    await expect(client.create(`${bed.directory}/silent`)).rejects.toEqual(withCode('hdfs-timeout'));
  });

  it('does not harm a file that is open longer than the limit without anything to write', async () => {
    const client = bed.clientWith({ idleTimeoutMs: 300 });
    const path = `${bed.directory}/patient`;
    const writer = await client.create(path);
    await delay(1_000);
    await writer.write(Buffer.from('one '));
    await delay(1_000);
    await writer.write(Buffer.from('two'));
    // Only the waiting is tested here, so the end gets a client with time: a loaded machine may confirm late.
    await writer.close().catch((error: unknown) => {
      expect(error).toEqual(withCode('hdfs-timeout'));
    });
    expect((await bed.direct.status(path))?.type).toBe('file');
  });
});

describe('what arrives is compared with what was sent', () => {
  it.each([
    ['a flipped bit', { kind: 'corrupt-request', atByte: 1_234_567 }],
    ['a missing end', { kind: 'shorten-request', toBytes: MIB }],
    ['nothing but the head', { kind: 'shorten-request', toBytes: 0 }],
  ] as const)('so that %s fails the close', async (_name, fault) => {
    await expectTypedAndRepeatable(fault, 'hdfs-verification-failed');
  });

  it('also for a small file in one go', async () => {
    const path = `${bed.directory}/small-corrupt`;
    bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'corrupt-request', atByte: 10 } });
    await expect(bed.client.writeFile(path, pattern(1_000))).rejects.toEqual(withCode('hdfs-verification-failed'));
  });

  it('by reading it back where HDFS reports a checksum of another kind', async () => {
    const foreign = '{"FileChecksum":{"algorithm":"COMPOSITE-CRC32C","bytes":"0011223344","length":5}}';
    bed.proxy.add({ role: 'datanode', op: 'GETFILECHECKSUM', fault: { kind: 'status', status: 200, body: foreign } });
    const written = await writeThrough(bed.client, `${bed.directory}/foreign`, bytes);
    expect(written.checksum).toBe('COMPOSITE-CRC32C:0011223344');
    expect(bed.proxy.count({ op: 'OPEN', role: 'datanode' })).toBe(1);
    bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'corrupt-request', atByte: 1_234_567 } });
    const path = `${bed.directory}/foreign-corrupt`;
    await expect(writeThrough(bed.client, path, bytes)).rejects.toEqual(withCode('hdfs-verification-failed'));
  });

  it('with the right type of CRC also where the NameNode announces the wrong one', async () => {
    const honest = (await bed.direct.checksum((await bed.direct.writeFile(`${bed.directory}/probe`, bytes)).path))
      .algorithm;
    const wrong = honest.endsWith('CRC32C') ? 1 : 2;
    const client = bed.clientWith({});
    const body = JSON.stringify({ FsServerDefaults: { checksumType: wrong } });
    bed.proxy.add({ op: 'GETSERVERDEFAULTS', fault: { kind: 'status', status: 200, body } });
    const first = await writeThrough(client, `${bed.directory}/guessed`, bytes);
    expect(first.checksum.startsWith(honest.slice(-5)) || first.checksum.includes('MD5-of')).toBe(true);
    expect(bed.proxy.count({ op: 'OPEN', role: 'datanode' })).toBe(1);
    // From then on it is known.
    await writeThrough(client, `${bed.directory}/known`, bytes);
    expect(bed.proxy.count({ op: 'OPEN', role: 'datanode' })).toBe(1);
  });

  it('and reading the checksum is repeated when that fails in passing', async () => {
    bed.proxy.add({ role: 'datanode', op: 'GETFILECHECKSUM', fault: { kind: 'cut' }, times: 1 });
    bed.proxy.add({ role: 'namenode', op: 'GETFILECHECKSUM', fault: { kind: 'status', status: 503 }, times: 1 });
    await writeThrough(bed.client, `${bed.directory}/checked-again`, bytes);
    expect(bed.proxy.count({ role: 'namenode', op: 'GETFILECHECKSUM' })).toBe(3);
  });
});

it('a gateway that swallows `100 Continue` does no harm', async () => {
  bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'swallow-continue' } });
  await writeThrough(bed.client, `${bed.directory}/no-continue`, bytes);
});

it('closing the client cuts what is being written', async () => {
  const client = bed.clientWith({});
  const idle = await client.create(`${bed.directory}/cut-idle`);
  bed.proxy.add({ role: 'datanode', op: 'CREATE', fault: { kind: 'hang-afterwards' } });
  const busy = await client.create(`${bed.directory}/cut-busy`);
  const outcome = expect(busy.close()).rejects.toEqual(withCode('shutting-down'));
  await client.close();
  await outcome;
  await expect(idle.write(Buffer.from('x'))).rejects.toEqual(withCode('shutting-down'));
  await expect(client.status('/')).rejects.toEqual(withCode('shutting-down'));
});
