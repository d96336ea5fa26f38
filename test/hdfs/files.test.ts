import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIB, openTestBed, pattern, withCode, writeThrough, type TestBed } from './test-bed.ts';

let bed: TestBed;
beforeAll(async () => {
  bed = await openTestBed();
});
afterAll(() => bed.end());

describe('writing a file', () => {
  it.each([0, 1, 511, 512, 513, MIB - 1, MIB, MIB + 1, 3 * MIB, 5 * MIB + 77])(
    'of %i bytes proves it by the checksum that HDFS itself reports, and it reads back the same',
    async (length) => {
      const path = `${bed.directory}/streamed-${length}`;
      const bytes = pattern(length);
      const written = await writeThrough(bed.client, path, bytes);
      const { algorithm, hex } = await bed.direct.checksum(path);
      expect(written).toEqual({ path, lengthBytes: length, checksum: `${algorithm}:${hex}` });
      // Proven by comparing checksums, not by reading it back.
      expect(bed.proxy.count({ op: 'OPEN', path })).toBe(0);
      expect((await bed.direct.readFile(path, { maxBytes: length })).equals(bytes)).toBe(true);
    },
  );

  it('does not depend on the sizes of the chunks', async () => {
    const bytes = pattern(2 * MIB + 3);
    const checksums = new Set<string>();
    for (const chunkBytes of [65_537, 511 * 7, 3 * MIB]) {
      checksums.add((await writeThrough(bed.client, `${bed.directory}/cut-${chunkBytes}`, bytes, chunkBytes)).checksum);
    }
    expect(checksums.size).toBe(1);
  });

  it('in one go is verified as well, and equal to the stream of the same bytes', async () => {
    const bytes = pattern(70_000);
    const small = await bed.client.writeFile(`${bed.directory}/small`, bytes);
    const streamed = await writeThrough(bed.client, `${bed.directory}/same`, bytes);
    expect(small.checksum).toBe(streamed.checksum);
    expect((await bed.client.writeFile(`${bed.directory}/empty`, Buffer.alloc(0))).lengthBytes).toBe(0);
  });

  it('lets the memory of a chunk be used again as soon as it is written', async () => {
    const path = `${bed.directory}/reused`;
    const memory = Buffer.alloc(300_000);
    const writer = await bed.client.create(path);
    for (const value of [1, 2, 3, 4, 5, 6, 7, 8]) await writer.write(memory.fill(value));
    await writer.close();
    const read = await bed.direct.readFile(path, { maxBytes: 10 * MIB });
    for (let value = 1; value <= 8; value++) {
      expect(read.subarray((value - 1) * 300_000, value * 300_000).every((byte) => byte === value)).toBe(true);
    }
  });

  it('is refused where something stands, unless it may be overwritten', async () => {
    const path = `${bed.directory}/taken`;
    await bed.client.writeFile(path, Buffer.from('old'));
    await expect(bed.client.create(path)).rejects.toEqual(withCode('hdfs-already-exists'));
    await expect(bed.client.writeFile(path, Buffer.from('new'))).rejects.toEqual(withCode('hdfs-already-exists'));
    expect((await bed.direct.readFile(path, { maxBytes: 10 })).toString()).toBe('old');
    const writer = await bed.client.create(path, { overwrite: true });
    await writer.write(Buffer.from('newer'));
    await writer.close();
    expect((await bed.direct.readFile(path, { maxBytes: 10 })).toString()).toBe('newer');
  });

  it('needs its directory, unless parents may be made', async () => {
    const path = `${bed.directory}/none/yet/file`;
    await expect(bed.client.create(path)).rejects.toEqual(withCode('hdfs-not-found'));
    await expect(bed.client.writeFile(path, Buffer.from('x'))).rejects.toEqual(withCode('hdfs-not-found'));
    expect(await bed.direct.status(`${bed.directory}/none`)).toBeUndefined();
    await bed.client.writeFile(path, Buffer.from('x'), { createParent: true });
    expect((await bed.direct.status(path))?.lengthBytes).toBe(1);
  });

  it('takes one write at a time, and none after the end', async () => {
    const writer = await bed.client.create(`${bed.directory}/misused`);
    const first = writer.write(pattern(MIB));
    await expect(writer.write(Buffer.from('x'))).rejects.toEqual(withCode('defect'));
    await first;
    await writer.close();
    await expect(writer.write(Buffer.from('x'))).rejects.toEqual(withCode('defect'));
    await writer.abort();
    await writer.abort();
  });

  it('that was given up rejects what comes after', async () => {
    const writer = await bed.client.create(`${bed.directory}/given-up`);
    await writer.write(Buffer.from('x'));
    await writer.abort();
    await expect(writer.write(Buffer.from('y'))).rejects.toEqual(withCode('shutting-down'));
    await expect(writer.close()).rejects.toEqual(withCode('shutting-down'));
  });
});

describe('reading a file', () => {
  it('gives any range, cut at its end', async () => {
    const path = `${bed.directory}/ranges`;
    const bytes = pattern(2 * MIB + 5);
    await writeThrough(bed.client, path, bytes);
    const ranges = [
      { offset: 0, length: 10 },
      { offset: MIB - 3, length: 9 },
      { offset: 2 * MIB },
      { offset: 5, length: 10 * MIB },
      { offset: 2 * MIB + 5 },
      { offset: 99 * MIB, length: 4 },
      { offset: 7, length: 0 },
      {},
    ];
    for (const range of ranges) {
      const chunks: Buffer[] = [];
      for await (const chunk of await bed.client.read(path, range)) if (chunk instanceof Buffer) chunks.push(chunk);
      const offset = range.offset ?? 0;
      const expected = bytes.subarray(offset, range.length === undefined ? undefined : offset + range.length);
      expect(Buffer.concat(chunks).equals(expected), JSON.stringify(range)).toBe(true);
    }
  });

  it('of which more is there than expected is refused', async () => {
    await bed.client.writeFile(`${bed.directory}/big`, pattern(1_000));
    await expect(bed.client.readFile(`${bed.directory}/big`, { maxBytes: 999 })).rejects.toEqual(
      withCode('hdfs-refused'),
    );
  });

  it('that is missing or a directory is an error', async () => {
    await expect(bed.client.read(`${bed.directory}/nope`)).rejects.toEqual(withCode('hdfs-not-found'));
    await expect(bed.client.checksum(`${bed.directory}/nope`)).rejects.toEqual(withCode('hdfs-not-found'));
    await expect(bed.client.read(bed.directory)).rejects.toEqual(withCode('hdfs-refused'));
  });
});

describe('a name', () => {
  const names = [
    'sensor_id=6%3A7',
    '100%',
    '%2F',
    'a b+c',
    'a#b?c&d=e;f',
    'größe-Ω-測-😀',
    `quotes"'\`<>[]{}|^~!*()@$,\\`,
    '..x',
    'tab\tnewline\n',
  ];

  it.each(names)('%j passes through every operation unchanged', async (name) => {
    const directory = `${bed.directory}/${name}`;
    const path = `${directory}/${name}`;
    const moved = `${directory}/moved ${name}`;
    const bytes = Buffer.from(name);
    await bed.client.makeDirectory(directory);
    await writeThrough(bed.client, path, bytes);
    expect(await bed.client.status(path)).toMatchObject({ path, name, type: 'file', lengthBytes: bytes.length });
    const listed = [];
    for await (const entry of bed.client.list(directory)) listed.push(entry.path);
    expect(listed).toEqual([path]);
    expect(await bed.client.rename(path, moved)).toBe(true);
    expect((await bed.client.readFile(moved, { maxBytes: 1_000 })).equals(bytes)).toBe(true);
    expect((await bed.client.checksum(moved)).algorithm).toContain('MD5-of-');
    expect(await bed.client.delete(moved)).toBe(true);
    expect(await bed.client.delete(directory, { recursive: true })).toBe(true);
    expect(await bed.direct.status(directory)).toBeUndefined();
  });

  it('with a dot segment, a colon or none at all is refused before anything is sent', async () => {
    const before = bed.proxy.count();
    for (const path of ['', 'relative', '/a/../b', '/a/./b', '/a:b', '/a//b']) {
      await expect(bed.client.delete(path, { recursive: true })).rejects.toEqual(withCode('hdfs-refused'));
      await expect(bed.client.rename('/x', path)).rejects.toEqual(withCode('hdfs-refused'));
    }
    expect(bed.proxy.count()).toBe(before);
  });
});

describe('a directory', () => {
  it('of 2,500 entries is listed whole, in order, in pages', async () => {
    const directory = `${bed.directory}/many`;
    const names = Array.from({ length: 2_500 }, (_, index) => `entry ${String(index).padStart(5, '0')}%`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => bed.direct.makeDirectory(`${directory}/${name}`)));
    }
    const listed: string[] = [];
    for await (const entry of bed.client.list(directory)) listed.push(entry.name);
    expect(listed).toEqual(names);
    expect(bed.proxy.count({ op: 'LISTSTATUS_BATCH', path: '/many' })).toBeGreaterThanOrEqual(3);
  });

  it('that is empty is told from one that is missing and from a file', async () => {
    const collect = async (path: string): Promise<number> => {
      let count = 0;
      for await (const _entry of bed.client.list(path)) count++;
      return count;
    };
    await bed.client.makeDirectory(`${bed.directory}/void`);
    await bed.client.writeFile(`${bed.directory}/plain`, Buffer.from('x'));
    expect(await collect(`${bed.directory}/void`)).toBe(0);
    await expect(collect(`${bed.directory}/nowhere`)).rejects.toEqual(withCode('hdfs-not-found'));
    await expect(collect(`${bed.directory}/plain`)).rejects.toEqual(withCode('hdfs-refused'));
  });

  it('is made with its parents, again without harm, and not in the place of a file', async () => {
    const directory = `${bed.directory}/x/y/z`;
    await bed.client.makeDirectory(directory);
    await bed.client.makeDirectory(directory);
    expect((await bed.client.status(directory))?.type).toBe('directory');
    await bed.client.writeFile(`${directory}/file`, Buffer.from('x'));
    await expect(bed.client.makeDirectory(`${directory}/file`)).rejects.toEqual(withCode('hdfs-already-exists'));
    await expect(bed.client.makeDirectory(`${directory}/file/below`)).rejects.toEqual(withCode('hdfs-refused'));
  });

  it('that is not empty is deleted only with all that is in it', async () => {
    const directory = `${bed.directory}/full`;
    await bed.client.writeFile(`${directory}/file`, Buffer.from('x'), { createParent: true });
    await expect(bed.client.delete(directory)).rejects.toEqual(withCode('hdfs-refused'));
    expect(await bed.client.delete(directory, { recursive: true })).toBe(true);
    expect(await bed.client.delete(directory, { recursive: true })).toBe(false);
  });
});
