import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import tar from 'tar-stream';
import { afterAll, describe, expect, test } from 'vitest';
import { examine } from '../examine.ts';
import type { Budget, Identification } from '../identifier.ts';
import { makeZip, type MadeMember } from './zip-maker.ts';

const directory = mkdtempSync(join(tmpdir(), 'archives-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const BUDGET: Budget = { depth: 10, bytes: 1 << 30, entries: 100_000 };

async function look(
  bytes: Buffer,
  budget: Partial<Budget> = {},
  name?: string,
): Promise<Extract<Identification, { state: 'identified' }>> {
  const workDirectory = mkdtempSync(join(directory, 'work-'));
  const path = join(directory, `archive-${createHash('sha256').update(bytes).digest('hex')}`);
  writeFileSync(path, bytes);
  const answer = await examine({
    path,
    workDirectory,
    budget: { ...BUDGET, ...budget },
    outputBytes: 1 << 26,
    ...(name === undefined ? {} : { name }),
  });
  if (answer.state !== 'identified') throw new Error(answer.detail);
  return answer;
}

/** Names with what became of them: content, or why there is none. */
function told({ members }: Identification): readonly string[] {
  return members.map(
    ({ name, path, refused }) =>
      `${name}: ${path === undefined ? String(refused) : readFileSync(path, 'latin1').slice(0, 40)}`,
  );
}

const GOOD: MadeMember = { name: 'good.txt', content: 'good' };

describe('a member of a zip', () => {
  test.each<[string, MadeMember, string]>([
    ['with a wrong checksum', { name: 'a', content: 'abc', crc: 1 }, 'a: crc'],
    ['that is longer than declared', { name: 'a', content: 'abcdef', bytes: 2 }, 'a: size'],
    ['that is shorter than declared', { name: 'a', content: 'abc', bytes: 9 }, 'a: size'],
    ['that leads out', { name: '../../etc/passwd', content: 'x' }, '../../etc/passwd: escape'],
    ['that leads out as on Windows', { name: 'a\\..\\..\\x', content: 'x' }, 'a\\\\..\\\\..\\\\x: escape'],
    ['with an absolute name', { name: '/etc/passwd', content: 'x' }, '/etc/passwd: absolute-name'],
    ['on a drive', { name: 'C:\\x', content: 'x' }, 'C:\\\\x: absolute-name'],
    ['that is a link', { name: 'l', content: '/etc', unixMode: 0o120777 }, 'l: symbolic-link'],
    ['that is a pipe', { name: 'p', content: '', unixMode: 0o010644 }, 'p: device'],
    ['named as a device', { name: 'x/con.txt', content: '1' }, 'x/con.txt: device'],
    ['that is encrypted', { name: 'e', content: 'secret', flags: 1 }, 'e: encrypted'],
    ['packed by another method', { name: 'z', content: 'x', method: 93 }, 'z: method'],
    ['that shares its bytes', { name: 'o', content: 'good', sharesOffset: true }, 'o: overlap'],
    ['with a name of two lines', { name: 'a\nb', content: 'x' }, 'a\\u000ab: x'],
    ['of no bytes', { name: 'n', content: '' }, 'n: '],
    ['of no bytes, behind which its sizes stand', { name: 'n', content: '', hasDescriptor: true, method: 0 }, 'n: '],
    ['behind which its sizes stand', { name: 'd', content: 'abc', hasDescriptor: true }, 'd: abc'],
    [
      'that is stored',
      { name: 's', content: 'PK\u0007\u0008 inside', method: 0, hasDescriptor: true },
      's: PK\u0007\u0008 inside',
    ],
  ])('%s is told, and its neighbour comes out', async (_, member, expected) => {
    const answer = await look(makeZip([GOOD, member]));
    expect(told(answer)).toEqual(['good.txt: good', expected]);
    expect(answer.verdict.class).toBe('archive');
  });
});

describe('a zip', () => {
  test('with a comment that looks like an end is read by its true one', async () => {
    const fake = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18), Buffer.alloc(300, 'c')]);
    expect(told(await look(makeZip([GOOD], { comment: fake })))).toEqual(['good.txt: good']);
  });

  test('of 64 bits is read', async () => {
    expect(told(await look(makeZip([GOOD], { isZip64: true })))).toEqual(['good.txt: good']);
  });

  test('that declares more members than it lists says so', async () => {
    const answer = await look(makeZip([GOOD], { declared: 3 }));
    expect(answer.verdict.warnings).toContain('its end declares 3 members, but 1 are listed');
    expect(answer.members.map(({ refused }) => refused)).toContain('damaged');
  });

  test('has names in the charset of its time', async () => {
    const names = ['Отчёт о ремонте трансформатора.txt', 'Журнал событий подстанции.txt'];
    const answer = await look(makeZip(names.map((name) => ({ name: iconv.encode(name, 'cp866'), content: 'x' }))));
    expect(answer.members.map(({ name }) => name)).toEqual(names);
  });

  test('of which all members are encrypted is encrypted', async () => {
    expect((await look(makeZip([{ name: 'e', content: 'secret', flags: 1 }]))).verdict.class).toBe('encrypted');
  });

  test('that is a bomb stops at a hundred bytes for each of its own, and the rest is not read', async () => {
    const zeros = Buffer.alloc(40 << 20);
    const bytes = makeZip([GOOD, { name: 'bomb', content: zeros }, { name: 'after', content: 'x' }]);
    const answer = await look(bytes);
    expect(told(answer)).toEqual(['good.txt: good', 'bomb: budget', 'after: budget']);
    expect(answer.used.bytes).toBeLessThan(Math.max(1 << 20, bytes.length * 100) + (1 << 18));
  });

  test('takes no more members, bytes or depth than are left', async () => {
    const three = makeZip(['a', 'b', 'c'].map((name) => ({ name, content: 'x'.repeat(100) })));
    expect(told(await look(three, { entries: 2 }))).toHaveLength(3);
    expect((await look(three, { entries: 2 })).members.at(-1)).toMatchObject({
      name: '(1 further members)',
      refused: 'budget',
    });
    expect((await look(three, { bytes: 150 })).members.map(({ refused }) => refused)).toEqual([
      undefined,
      'budget',
      'budget',
    ]);
    expect((await look(three, { depth: 0 })).members.every(({ refused }) => refused === 'budget')).toBe(true);
  });

  test('cut anywhere is corrupt, and never more than that', async () => {
    const whole = makeZip([GOOD, { name: 'b', content: 'x'.repeat(500), method: 0 }]);
    for (let length = 5; length < whole.length; length += 29) {
      expect((await look(whole.subarray(0, length))).verdict.class).toBe('corrupt');
    }
  });

  test('of an office is a document, with its text', async () => {
    const document = '<w:document><w:p><w:t>Relay</w:t></w:p><w:p><w:t>replaced</w:t></w:p></w:document>';
    const answer = await look(
      makeZip([
        { name: '[Content_Types].xml', content: '<Types/>' },
        { name: 'word/document.xml', content: document },
      ]),
    );
    expect(answer.verdict.class).toBe('document');
    expect(readFileSync(answer.textPath ?? '', 'utf8')).toBe('Relay\nreplaced\n');
  });
});

describe('a tar', () => {
  async function tarOf(fill: (pack: tar.Pack) => void): Promise<Buffer> {
    const pack = tar.pack();
    fill(pack);
    pack.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of pack as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  test('gives its files, and tells links, devices and names that lead out', async () => {
    const bytes = await tarOf((pack) => {
      pack.entry({ name: 'a.txt' }, 'abc');
      pack.entry({ name: 'l', type: 'symlink', linkname: '/etc/passwd' });
      pack.entry({ name: 'h', type: 'link', linkname: 'a.txt' });
      pack.entry({ name: 'dev', type: 'character-device' });
      pack.entry({ name: '../b', size: 1 }, 'b');
      pack.entry({ name: 'dir', type: 'directory' });
      pack.entry({ name: 'c.txt' }, 'c');
    });
    expect(told(await look(bytes))).toEqual([
      'a.txt: abc',
      'l: symbolic-link',
      'h: hard-link',
      'dev: device',
      '../b: escape',
      'c.txt: c',
    ]);
  });

  test('that was cut gives what is whole, and says that it ends early', async () => {
    const bytes = await tarOf((pack) => {
      pack.entry({ name: 'a' }, 'abc');
      pack.entry({ name: 'b' }, 'x'.repeat(5_000));
    });
    const answer = await look(bytes.subarray(0, 3_000));
    expect(told(answer)).toEqual(['a: abc', 'b: damaged']);
    expect(answer.verdict.warnings.join()).toContain('ends early');
  });
});

describe('a compressed file', () => {
  const BZIP2 = Buffer.from('QlpoOTFBWSZTWcHAgOIAAAFBAAAQAkSgADDNAMNGKZcXckU4UJDBwIDi', 'base64');
  const XZ = Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAFaGVsbG8KAAAApWCX8ZT2/eAAAR4GwS+kHR+2830BAAAAAARZWg==',
    'base64',
  );

  test('is one member, named as it says or as it is called', async () => {
    expect(told(await look(gzipSync('hello'), {}, 'x.csv.gz'))).toEqual(['x.csv: hello']);
    expect(told(await look(gzipSync('hello'), {}, 'x.tgz'))).toEqual(['x.tar: hello']);
    expect(told(await look(Buffer.concat([gzipSync('one '), gzipSync('two')]), {}))).toEqual(['content: one two']);
  });

  test('that was cut, or whose checksum is wrong, is corrupt', async () => {
    const bytes = gzipSync('hello '.repeat(50));
    expect((await look(bytes.subarray(0, -6))).verdict.class).toBe('corrupt');
    bytes.writeUInt32LE(1, bytes.length - 8);
    expect((await look(bytes)).verdict.class).toBe('corrupt');
  });

  test.each([
    ['bzip2', BZIP2],
    ['xz', XZ],
  ])('of %s is opened too', async (_, bytes) => {
    expect(await look(bytes)).toMatchObject({ verdict: { class: 'archive' }, members: [{ name: 'content' }] });
  });
});
