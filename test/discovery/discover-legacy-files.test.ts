import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import tar from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DiscoveryResult } from '../../workflows/discovery/contract.ts';
import type { FetchResult } from '../../workflows/fetch/contract.ts';
import { expectConserved } from './conservation.ts';
import { DiscoveryBed, sha256 } from './discovery-bed.ts';

const bed = new DiscoveryBed();

beforeAll(() => {
  bed.startWorker();
});
afterAll(() => bed.close());

/** Whatever the names of a share are, and whatever lies in it beside files. */
const NAMES: readonly (readonly [string | Buffer, string])[] = [
  ['plain.txt', 'plain.txt'],
  ['two\nlines\t\x1b[31m.txt', 'two%0Alines%09%1B[31m.txt'],
  [Buffer.from('Messwerte_M\xe4rz.txt', 'latin1'), 'Messwerte_M%E4rz.txt'],
  [Buffer.from([0xff, 0xfe, 0x2e, 0x63]), '%FF%FE.c'],
  ['z'.repeat(255), 'z'.repeat(255)],
  ['100%25/50%.txt', '100%2525/50%25.txt'],
  ['old!/a', 'old%21/a'],
  [`${'deep/'.repeat(100)}end.txt`, `${'deep/'.repeat(100)}end.txt`],
  ['-rf', '-rf'],
  [' ', ' '],
  ['CON', 'CON'],
];

async function archive(members: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, bytes] of Object.entries(members)) pack.entry({ name }, Buffer.from(bytes));
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('a crawl', () => {
  let first: DiscoveryResult;
  let landedAtFirst: readonly string[] = [];

  beforeAll(async () => {
    for (const [index, [name]] of NAMES.entries()) await bed.put(name, `content ${index} of a file with an odd name\n`);
    await bed.put('copies/one.txt', 'the same text in three places\n');
    await bed.put('copies/two.txt', 'the same text in three places\n');
    await bed.put('empty', '');
    await bed.put('large.txt', 'a line of a large text file, which lies by itself\n'.repeat(30_000));
    await bed.put(
      'archive.tar',
      await archive({ 'in/one.txt': 'only in the archive\n', 'three.txt': 'the same text in three places\n' }),
    );
    await symlink('/etc/passwd', join(bed.share, 'link-out'));
    await symlink('.', join(bed.share, 'link-loop'));
    await symlink('nowhere', join(bed.share, 'link-dangling'));
    execFileSync('mkfifo', [join(bed.share, 'pipe')]);
    first = await bed.crawl({ unitFiles: 5 });
    landedAtFirst = await bed.files();
  });

  it('counts each file once, equal in report, catalogue and HDFS', async () => {
    // Names, two copies, an empty and a large file, an archive with two members.
    expect(first).toMatchObject({
      discovered: NAMES.length + 7,
      members: 2,
      duplicate: 2,
      quarantined: 0,
      failed: 0,
      passedOver: 4,
    });
    await expectConserved(bed, first);
    const json = await bed.hdfs.readFile(first.report?.json ?? '', { maxBytes: 1 << 20 });
    expect(JSON.parse(json.toString())).toEqual(first);
    const page = await bed.hdfs.readFile(first.report?.html ?? '', { maxBytes: 1 << 20 });
    expect(page.toString()).toContain('Legacy files of');
  });

  it('keeps names exact to the byte, and says why it passed over what is no file', async () => {
    const rows = await bed.rows();
    for (const [index, [, text]] of NAMES.entries()) {
      expect([text, rows.get(text)?.content]).toEqual([text, sha256(`content ${index} of a file with an odd name\n`)]);
    }
    for (const link of ['link-out', 'link-loop', 'link-dangling']) {
      expect(rows.get(link)).toMatchObject({ outcome: 'passed-over', reason: 'symbolic-link' });
    }
    expect(rows.get('pipe')).toMatchObject({ outcome: 'passed-over', reason: 'pipe' });
    expect(rows.get('archive.tar!/in/one.txt')).toMatchObject({ outcome: 'landed', isMember: 'yes' });
  });

  it('puts large files by their hash, small ones into packs, and their text into bundles, each once', async () => {
    const large = sha256('a line of a large text file, which lies by itself\n'.repeat(30_000));
    const contents = new Map((await bed.contents()).map((content) => [content._id, content]));
    expect(contents.get(large)?.where).toEqual({
      kind: 'file',
      path: expect.stringMatching(new RegExp(`^${bed.landing}/[a-z-]+/${large}\\.txt$`)) as string,
    });
    const small = sha256('the same text in three places\n');
    expect(contents.get(small)).toMatchObject({ status: 'landed', where: { kind: 'pack' } });
    expect(contents.get(small)?.paths).toHaveLength(3);
    const texts = await Promise.all(
      landedAtFirst
        .filter((path) => path.includes('/text/'))
        .map((path) => bed.hdfs.readFile(path, { maxBytes: 1 << 28 })),
    );
    const lines = Buffer.concat(texts).toString().split('\n');
    expect(lines.filter((line) => line.startsWith(small))).toEqual([`${small}\t1\tthe same text in three places`]);
    expect(lines.filter((line) => line.startsWith(large))).toHaveLength(30_000);
  });

  it('leaves nothing behind that it worked with', () => {
    expect(landedAtFirst.filter((path) => path.includes('/.crawls/'))).toEqual([]);
  });

  it('lands nothing the second time, and reads only what has changed', async () => {
    const again = await bed.crawl();
    expect(again).toMatchObject({
      discovered: first.discovered,
      landed: 0,
      duplicate: first.landed + first.duplicate,
      unchanged: first.discovered,
    });
    await expectConserved(bed, again);
    const notReports = (paths: readonly string[]): readonly string[] =>
      paths.filter((path) => !path.includes('/reports/'));
    expect(notReports(await bed.files())).toEqual(notReports(landedAtFirst));

    await appendFile(join(bed.share, 'plain.txt'), 'and a line more\n');
    const changed = await bed.crawl();
    expect(changed).toMatchObject({ landed: 1, unchanged: first.discovered - 1 });
    await expectConserved(bed, changed);
  });

  it('gives every file back byte for byte', async () => {
    const wanted: readonly (readonly [string, Buffer])[] = [
      [`${bed.share}/archive.tar!/in/one.txt`, Buffer.from('only in the archive\n')],
      [`file:${bed.share}/two%0Alines%09%1B[31m.txt`, Buffer.from('content 1 of a file with an odd name\n')],
      [sha256(''), Buffer.alloc(0)],
      [`${bed.share}/large.txt`, readFileSync(join(bed.share, 'large.txt'))],
    ];
    for (const [index, [file, bytes]] of wanted.entries()) {
      const to = join(bed.share, `../fetched/${index}`);
      const result = await bed.run<FetchResult>('fetchLegacyFile', { file, to });
      expect(result).toMatchObject({ sha256: sha256(bytes), bytes: bytes.length, to });
      expect(readFileSync(to).equals(bytes)).toBe(true);
    }
    const { to } = await bed.run<FetchResult>('fetchLegacyFile', { file: sha256('only in the archive\n') });
    const inHdfs = await bed.hdfs.readFile(to.replace('hdfs:', ''), { maxBytes: 100 });
    expect(inHdfs.toString()).toBe('only in the archive\n');
  });

  it('neither overwrites another file nor invents one when a file is fetched', async () => {
    const to = join(bed.share, '../fetched/mine');
    await mkdir(join(bed.share, '../fetched'), { recursive: true });
    await appendFile(to, 'my own');
    const file = sha256('only in the archive\n');
    expect(await bed.failure({ file, to }, 'fetchLegacyFile')).toMatchObject({ code: 'legacy-conflict' });
    expect(readFileSync(to, 'utf8')).toBe('my own');
    expect(await bed.failure({ file: 'f'.repeat(64) }, 'fetchLegacyFile')).toMatchObject({ code: 'legacy-not-found' });
  });

  it('deletes nothing when its source disappears', async () => {
    const before = await bed.contents();
    await rename(bed.share, `${bed.share}-away`);
    expect(await bed.failure({})).toMatchObject({ code: 'not-discoverable' });
    await rename(`${bed.share}-away`, bed.share);
    await rm(join(bed.share, 'copies'), { recursive: true });
    await expectConserved(bed, await bed.crawl());
    expect(await bed.contents()).toEqual(before);
    expect((await bed.rows()).get('copies/one.txt')).toBeDefined();
  });
});

describe('of what a crawl is asked', () => {
  it('it takes only what it is to take, and a dry run takes nothing', async () => {
    await bed.put('asked/a.csv', 'x;1\n');
    await bed.put('asked/b.csv', 'y;2\n');
    await bed.put('asked/.snapshot/a.csv', 'z;3\n');
    await bed.put('asked/c.log', 'a line\n');
    const root = join(bed.share, 'asked');
    const before = await bed.files();
    const question = { root, include: ['**/*.csv'], exclude: ['**/.snapshot'] };
    expect(await bed.crawl({ ...question, dryRun: true })).toMatchObject({
      discovered: 2,
      excluded: 2,
      unseen: 2,
      bytes: 8,
    });
    expect(await bed.files()).toEqual(before);
    expect(await bed.crawl({ ...question, maxFiles: 1 })).toMatchObject({ discovered: 1, landed: 1 });
    expect(await bed.crawl(question)).toMatchObject({ discovered: 2, landed: 1, unchanged: 1, excluded: 2 });
  });

  it('it follows links below the root, each directory once', async () => {
    await bed.put('linked/real/file.txt', 'found by one way\n');
    await symlink('real', join(bed.share, 'linked/also'));
    await symlink('..', join(bed.share, 'linked/real/up'));
    await symlink('/', join(bed.share, 'linked/out'));
    await symlink('real/file.txt', join(bed.share, 'linked/to-file'));
    const root = join(bed.share, 'linked');
    const result = await bed.crawl({ root, followSymlinks: true });
    expect(result).toMatchObject({ discovered: 2, landed: 1, duplicate: 1, passedOver: 3, conserved: true });
    const reasons = new Set(result.reasons.map(({ reason }) => reason));
    expect(reasons).toEqual(new Set(['directory-visited', 'link-leads-out']));
  });

  it('it also crawls a directory of HDFS', async () => {
    const put = (name: string, text: string) =>
      bed.hdfs.writeFile(`${bed.landing}-share/${name}`, Buffer.from(text), { createParent: true });
    try {
      await put('a/ü 100%.txt', 'in HDFS\n');
      await put('b.txt', 'in HDFS\n');
      const result = await bed.crawl({ root: `hdfs:${bed.landing}-share` });
      expect(result).toMatchObject({ discovered: 2, landed: 1, duplicate: 1, conserved: true });
      const file = `hdfs:${bed.landing}-share/a/ü 100%25.txt`;
      expect(await bed.run('fetchLegacyFile', { file })).toMatchObject({ sha256: sha256('in HDFS\n') });
      expect(await bed.crawl({ root: `hdfs:${bed.landing}-share` })).toMatchObject({ landed: 0, unchanged: 2 });
    } finally {
      await bed.hdfs.delete(`${bed.landing}-share`, { recursive: true });
    }
  });

  it('it fails with one sentence when that cannot be done', async () => {
    expect(await bed.failure({ root: 'relative' })).toMatchObject({ code: 'invalid-input' });
    expect(await bed.failure({ root: join(bed.share, 'no such') })).toMatchObject({ code: 'not-discoverable' });
    expect(await bed.failure({ root: 'hdfs:/no/such/share' })).toMatchObject({ code: 'not-discoverable' });
  });
});

it('never changes the source', async () => {
  const path = (await bed.put('untouched/file.txt', 'left as it is\n')).toString();
  await utimes(path, 1_000_000_000, 1_100_000_000);
  const before = await stat(path, { bigint: true });
  expect(await bed.crawl({ root: join(bed.share, 'untouched') })).toMatchObject({ landed: 1 });
  expect(await stat(path, { bigint: true })).toEqual(before);
});
