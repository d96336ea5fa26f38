import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestBed, pattern, withCode, type TestBed } from './test-bed.ts';

let bed: TestBed;
beforeAll(async () => {
  bed = await openTestBed();
});
afterAll(() => bed.end());

describe('an owner whose directory was renamed away', () => {
  it('can make nothing there, rename nothing, and what it still writes ends in the fenced directory', async () => {
    const own = `${bed.directory}/owner-1`;
    const fenced = `${bed.directory}/fenced-1`;
    await bed.direct.makeDirectory(own);
    await bed.client.writeFile(`${own}/finished`, Buffer.from('done'));
    const open = await bed.client.create(`${own}/open`);
    await open.write(pattern(100_000));

    expect(await bed.direct.rename(own, fenced)).toBe(true);

    await expect(bed.client.create(`${own}/new`)).rejects.toEqual(withCode('hdfs-not-found'));
    await expect(bed.client.writeFile(`${own}/record`, Buffer.from('x'))).rejects.toEqual(withCode('hdfs-not-found'));
    expect(await bed.client.rename(`${own}/finished`, `${bed.directory}/published`)).toBe(false);
    await open.write(pattern(100_000));
    await expect(open.close()).rejects.toEqual(withCode('hdfs-not-found'));

    expect(await bed.direct.status(own)).toBeUndefined();
    expect(await bed.direct.status(`${bed.directory}/published`)).toBeUndefined();
    expect((await bed.direct.status(`${fenced}/open`))?.lengthBytes).toBe(200_000);
    expect((await bed.direct.readFile(`${fenced}/finished`, { maxBytes: 10 })).toString()).toBe('done');
  });

  it('is told so also when the rename comes between its CREATE and the first look at the file', async () => {
    const own = `${bed.directory}/owner-2`;
    await bed.direct.makeDirectory(own);
    const holdBack = bed.proxy.add({ op: 'GETFILESTATUS', path: `${own}/file`, fault: { kind: 'delay', ms: 500 } });
    const creating = bed.client.create(`${own}/file`);
    const outcome = expect(creating).rejects.toEqual(withCode('hdfs-not-found'));
    for (;;) {
      if ((await bed.direct.status(`${own}/file`)) !== undefined) break;
    }
    expect(await bed.direct.rename(own, `${bed.directory}/fenced-2`)).toBe(true);
    await outcome;
    holdBack();
  });

  it('loses its open file when that is deleted', async () => {
    const own = `${bed.directory}/owner-3`;
    await bed.direct.makeDirectory(own);
    const open = await bed.client.create(`${own}/open`);
    await open.write(pattern(100_000));
    expect(await bed.direct.delete(own, { recursive: true })).toBe(true);
    await expect(open.close()).rejects.toEqual(withCode('hdfs-not-found'));
    await open.abort();
  });
});

describe('renaming', () => {
  it('onto a name that is taken answers false and changes neither', async () => {
    await bed.client.writeFile(`${bed.directory}/from`, Buffer.from('from'));
    await bed.client.writeFile(`${bed.directory}/to`, Buffer.from('to'));
    expect(await bed.client.rename(`${bed.directory}/from`, `${bed.directory}/to`)).toBe(false);
    expect((await bed.direct.readFile(`${bed.directory}/to`, { maxBytes: 10 })).toString()).toBe('to');
    expect((await bed.direct.readFile(`${bed.directory}/from`, { maxBytes: 10 })).toString()).toBe('from');
  });

  it('of what is missing, or into a missing directory, answers false', async () => {
    expect(await bed.client.rename(`${bed.directory}/ghost`, `${bed.directory}/ghost-2`)).toBe(false);
    await bed.client.writeFile(`${bed.directory}/stays`, Buffer.from('x'));
    expect(await bed.client.rename(`${bed.directory}/stays`, `${bed.directory}/no/such/name`)).toBe(false);
    expect(await bed.direct.status(`${bed.directory}/stays`)).toBeDefined();
  });

  it('by many at once to one name lets exactly one win', async () => {
    const contenders = Array.from({ length: 12 }, (_, index) => `${bed.directory}/contender-${index}`);
    await Promise.all(contenders.map((path) => bed.direct.writeFile(path, Buffer.from(path))));
    const answers = await Promise.all(contenders.map((path) => bed.client.rename(path, `${bed.directory}/won`)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    const winner = contenders[answers.indexOf(true)];
    expect((await bed.direct.readFile(`${bed.directory}/won`, { maxBytes: 200 })).toString()).toBe(winner);
  });
});
