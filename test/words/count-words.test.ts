import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WordsProgress, WordsResult } from '../../workflows/words/contract.ts';
import { eventually } from '../support/eventually.ts';
import { countOf } from './independent-count.ts';
import { sized } from '../support/test-size.ts';
import { WordsBed } from './words-bed.ts';

/** `the quick brown fox`, in bzip2, twice over two lines: made by bzip2 itself, since nothing here compresses so. */
const BZIP2 = Buffer.from(
  'QlpoOTFBWSZTWZBU7xAAABDRgAAQQAAbabbAIAAgqqBoPUPU/VChppgAjpThhSmi3ztEW3WtEPxdyRThQkJBU7xA',
  'base64',
);
const ODD_WORDS = [
  "it's",
  '"quoted"',
  '\\back\\slash',
  '100%',
  '.*',
  'cafe\u0301',
  'caf\u00e9',
  'no\u00a0break',
  'ａ',
  '😀',
  '${x}',
];

function bookText(lines: number): string {
  const words = ['the', 'The', 'grid', 'of', '', 'and', 'load', ...ODD_WORDS];
  const text: string[] = [];
  for (let line = 0; line < lines; line++) {
    const some = Array.from({ length: line % 13 }, (_, at) => words[(line * 7 + at * 5) % words.length] ?? '');
    text.push(line % 17 === 0 ? `tab\there w${line}` : some.join(' '));
  }
  return `${text.join('\n')}\n`;
}

const BOOK = bookText(5_000);
const ASKED = ['the', 'never', '', ...ODD_WORDS].filter((word) => word !== '');

let bed: WordsBed;

beforeAll(async () => {
  bed = await WordsBed.open();
});
afterAll(() => bed.close());

/** What a result says of one text, as the independent count would. */
function figures({ total, distinct, emptyTokens, words, top }: WordsResult) {
  return { total, distinct, emptyTokens, words: words.map(({ count }) => count), top };
}

describe('texts in every form', () => {
  it('are counted alike, as an independent count counts them', async () => {
    const forms: Readonly<Record<string, Buffer>> = {
      'plain.txt': Buffer.from(BOOK),
      'gzip.txt.gz': gzipSync(BOOK),
      'crlf.txt': Buffer.from(BOOK.replaceAll('\n', '\r\n')),
      'cr.txt': Buffer.from(BOOK.replaceAll('\n', '\r')),
      'bom.txt': Buffer.from(`\ufeff${BOOK}`),
      'utf-16.txt': Buffer.from(`\ufeff${BOOK}`, 'utf16le'),
      'utf-16be.txt': Buffer.from(`\ufeff${BOOK}`, 'utf16le').swap16(),
      'utf-16 without mark.txt': Buffer.from(BOOK.replaceAll(/\P{ASCII}/gu, 'x'), 'utf16le'),
      'gzip by another name.txt': gzipSync(BOOK),
      'plain by the name of.gz': Buffer.from(BOOK),
      'deep/er/[brackets]*{a,b}.txt': Buffer.from(BOOK),
      "percent %20, comma, 'quote' ü.txt": Buffer.from(BOOK),
    };
    for (const [name, bytes] of Object.entries(forms)) await bed.put(`forms/${name}`, bytes);
    await bed.put('forms/empty.txt', '');
    const path = `${bed.directory}/forms`;
    const result = await bed.count({ path, words: ASKED, top: 20, perFile: true });

    const ascii = BOOK.replaceAll(/\P{ASCII}/gu, 'x');
    for (const name of Object.keys(forms)) {
      const expected = countOf([name.includes('without mark') ? ascii : BOOK]);
      expect(
        result.perFile?.find((file) => file.path === `${path}/${name}`),
        name,
      ).toEqual({
        path: `${path}/${name}`,
        total: expected.total,
        distinct: expected.distinct,
        words: ASKED.map((word) => expected.of(word)),
      });
    }
    expect(result.perFile?.find((file) => file.path === `${path}/empty.txt`)).toMatchObject({ total: 0, distinct: 0 });
    const all = countOf(Object.keys(forms).map((name) => (name.includes('without mark') ? ascii : BOOK)));
    expect(figures(result)).toEqual({
      total: all.total,
      distinct: all.distinct,
      emptyTokens: all.emptyTokens,
      words: ASKED.map((word) => all.of(word)),
      top: all.top(20),
    });
    expect(result.coverage).toMatchObject({
      files: 13,
      readDirectly: 6,
      readConverted: 6,
      empty: 1,
      skippedFiles: 0,
      skipped: [],
    });
    expect(await bed.leftovers()).toEqual([]);
  });

  it('that Hive would misread are told, and not counted', async () => {
    const good = await bed.put('odd/good.txt', 'the end of the line \ufffd stands here\n');
    const latin = Buffer.from('d\u00e9j\u00e0 vu the\n', 'latin1');
    const lateLatin = Buffer.concat([Buffer.from('the same line\n'.repeat(6_000)), latin]);
    const damaged = gzipSync(BOOK);
    damaged.fill(0x55, damaged.length - 8);
    const bad = {
      'latin.txt': latin,
      'late-latin.txt': lateLatin,
      'damaged.txt.gz': damaged,
      'image.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]),
      '_hidden.txt': Buffer.from('the'),
      '.tmp/part.txt': Buffer.from('the'),
      'other.zst': Buffer.from('the'),
    };
    for (const [name, bytes] of Object.entries(bad)) await bed.put(`odd/${name}`, bytes);
    const path = `${bed.directory}/odd`;
    const result = await bed.count({ path, words: ['the', '\ufffd'] });
    expect(result).toMatchObject({ total: 8, words: [{ count: 2 }, { count: 1 }] });
    const reasons = Object.fromEntries(
      (result.coverage?.skipped ?? []).map((file) => [file.path.slice(path.length + 1), file.reason]),
    );
    expect(Object.keys(reasons).sort()).toEqual(Object.keys(bad).sort());
    expect(reasons['latin.txt']).toContain('no UTF-8, the first other byte at 1; name its character set');
    expect(reasons['late-latin.txt']).toContain('no UTF-8');
    expect(reasons['damaged.txt.gz']).toContain('cannot be read as what it seems to be');
    expect(reasons['image.png']).toContain('binary: byte 0 at 4');
    expect(reasons['_hidden.txt']).toContain('begins with _ or .');

    const named = await bed.count({ path, words: ['the', 'd\u00e9j\u00e0'], charset: 'windows-1252', perFile: true });
    const counts = countOf([
      'the end of the line \ufffd stands here',
      latin.toString('latin1'),
      lateLatin.toString('latin1'),
    ]);
    expect(named.words.map(({ count }) => count)).toEqual([counts.of('the'), counts.of('d\u00e9j\u00e0')]);
    expect(named.perFile?.map((file) => file.path)).toContain(good);
  });

  it('in bzip2 are read, and a single file may be named', async () => {
    const path = await bed.put('single/fox.txt.bz2', BZIP2);
    await bed.put('single/beside.txt', 'the the the');
    const result = await bed.count({ path, words: ['fox', 'the'] });
    expect(result).toMatchObject({ total: 8, words: [{ count: 2 }, { count: 2 }], coverage: { files: 1 } });
  });

  it('by the unicode rule are runs of letters, marks and digits, with or without case', async () => {
    const path = await bed.put('unicode/book.txt', BOOK);
    const words = ['the', 'cafe\u0301', 'it', '100', 'b.c'];
    for (const caseSensitive of [true, false]) {
      const result = await bed.count({ path, words, top: 15, tokenizer: 'unicode', caseSensitive });
      const expected = countOf([BOOK], { tokenizer: 'unicode', lower: !caseSensitive });
      expect(figures(result)).toEqual({
        total: expected.total,
        distinct: expected.distinct,
        emptyTokens: 0,
        words: words.map((word) => expected.of(word)),
        top: expected.top(15),
      });
    }
    const upper = await bed.count({ path, words: ['THE'], caseSensitive: false });
    expect(upper.words).toEqual([{ word: 'THE', count: countOf([BOOK], { lower: true }).of('the') }]);
  });

  it('in many small files are counted together', async () => {
    const files = Array.from({ length: sized(200, 1_050) }, (_, index) => `the small file ${index}\n`);
    for (let at = 0; at < files.length; at += 20) {
      await Promise.all(files.slice(at, at + 20).map((text, index) => bed.put(`small/d${at}/${at + index}.txt`, text)));
    }
    const result = await bed.count({ path: `${bed.directory}/small`, words: ['small', '7'], perFile: true });
    const all = files.length;
    expect(result).toMatchObject({ total: 4 * all, distinct: 3 + all, words: [{ count: all }, { count: 1 }] });
    expect(result.perFile).toHaveLength(Math.min(all, 1_000));
    expect(result.perFileLeftOut).toBe(Math.max(0, all - 1_000));
    if (result.perFilePath === undefined) return;
    const lines = (await bed.hdfs.readFile(result.perFilePath, { maxBytes: 1 << 24 })).toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { total: number }).total)).toEqual(files.map(() => 4));
  });

  it('in one large file are counted to the last', async () => {
    const words = ['substation', 'the', 'Leistung', 'busbar', 'of', 'load'];
    const line = `${words.join(' ')}\n`;
    const lines = Math.ceil((sized(8, 200) * 2 ** 20) / line.length);
    const writer = await bed.hdfs.create(`${bed.directory}/large.txt`);
    const block = Buffer.from(line.repeat(10_000));
    for (let written = 0; written < lines; written += 10_000) {
      await writer.write(block.subarray(0, Math.min(10_000, lines - written) * line.length));
    }
    await writer.close();
    const result = await bed.count({ path: `${bed.directory}/large.txt`, words: ['the', 'The'], top: 6 });
    expect(result).toMatchObject({ total: lines * words.length, distinct: words.length });
    expect(result.words).toEqual([
      { word: 'the', count: lines },
      { word: 'The', count: 0 },
    ]);
    expect(result.top.map(({ count }) => count)).toEqual(words.map(() => lines));
  });
});

describe('an answer', () => {
  it('is kept, until a file changes or the question is another', async () => {
    await bed.put('samples/one.txt', 'the one\n');
    const first = await bed.count();
    expect(first).toMatchObject({ answeredFrom: 'hive', total: 2, of: `${bed.directory}/samples` });
    expect(first.sql[0]).toContain('LATERAL VIEW EXPLODE(SPLIT(line, ');
    expect(await bed.count({})).toEqual({ ...first, answeredFrom: 'kept' });
    const { schema } = bed.serving;
    const [row] = await bed.serving.query<{ answer: unknown }>(
      `SELECT subject, total, answer FROM ${schema}.word_count WHERE question = $1`,
      [first.question],
    );
    expect(row).toEqual({ subject: first.of, total: '2', answer: first });
    expect(await bed.count({ top: 1 })).toMatchObject({ answeredFrom: 'hive' });
    expect(await bed.count({ recount: true })).toMatchObject({ answeredFrom: 'hive', total: 2 });
    await bed.put('samples/one.txt', 'the one more\n');
    expect(await bed.count({})).toMatchObject({ answeredFrom: 'hive', total: 3 });
  });

  it('may be of a table or view', async () => {
    const view = `${bed.hiveDatabase}_view`;
    await bed.hive.execute(`CREATE VIEW ${view} AS SELECT EXPLODE(ARRAY('a b', 'a', NULL)) AS said`);
    try {
      const result = await bed.count({ table: view, column: 'said', words: ['a'] });
      expect(result).toMatchObject({ total: 3, distinct: 2, words: [{ word: 'a', count: 2 }], of: view });
      expect(result.coverage).toBeUndefined();
      expect(await bed.failure({ table: view })).toEqual({
        code: 'unknown-column',
        message: expect.stringContaining('it has no column line. It has said') as string,
      });
    } finally {
      await bed.hive.execute(`DROP VIEW ${view}`);
    }
  });

  it('comes although the connection to Hive is cut within a statement', async () => {
    const path = await bed.put('cut/book.txt', BOOK.repeat(20));
    const cut = await bed.start({ path, words: ['the'] });
    await eventually('Hive counts', async () => {
      const progress = await cut.query<WordsProgress>('progress');
      return progress.phase === 'counting' && bed.proxy.open > 0;
    });
    bed.proxy.cut();
    const result = (await cut.result()) as WordsResult;
    expect(result.words[0]?.count).toBe(countOf([BOOK]).of('the') * 20);
    expect(await bed.leftovers()).toEqual([]);
  });

  it('that nobody wants any more leaves nothing behind', async () => {
    const path = await bed.put('cancelled/book.txt', BOOK.repeat(20));
    const cancelled = await bed.start({ path });
    await eventually('Hive counts', async () => {
      const progress = await cancelled.query<WordsProgress>('progress');
      return progress.phase === 'counting';
    });
    await cancelled.cancel();
    await expect(cancelled.result()).rejects.toThrow();
    expect(await bed.leftovers()).toEqual([]);
  });
});

describe('what cannot be counted', () => {
  it('is told in one sentence, and leaves nothing behind', async () => {
    await bed.put('binaries/a.png', Buffer.from([1, 2, 0, 3]));
    await bed.put('binaries/b.png', Buffer.from([1, 2, 0, 3]));
    const refused = [
      [{ path: `${bed.directory}/nowhere` }, 'not-countable', 'HDFS has no such file or directory'],
      [{ path: `${bed.directory}/binaries` }, 'not-countable', 'none of its 2 files is text that could be counted'],
      [{ table: 'no_such_table' }, 'unknown-table', 'the table no_such_table: Hive has no such table or view'],
      [{ top: -1 }, 'invalid-input', 'top: '],
      [{ words: Array.from({ length: 10_000 }, String) }, 'invalid-input', 'words: '],
      [{ path: 'relative' }, 'invalid-input', 'path: must be an absolute HDFS path'],
      [{ path: '/a', table: 'b' }, 'invalid-input', 'give either path or table'],
      [{ table: 'a; DROP TABLE b' }, 'invalid-input', 'table: must be the name of a Hive table'],
      [{ charset: 'klingon' }, 'invalid-input', 'charset: '],
    ] as const;
    for (const [input, code, sentence] of refused) {
      const failure = await bed.failure(input);
      expect(failure).toMatchObject({ code, message: expect.stringContaining(sentence) as string });
    }
    expect(await bed.leftovers()).toEqual([]);
  });

  it('may be nothing at all: an empty directory counts 0', async () => {
    await bed.hdfs.makeDirectory(`${bed.directory}/empty`);
    const result = await bed.count({ path: `${bed.directory}/empty`, words: ['the'] });
    expect(result).toMatchObject({ total: 0, distinct: 0, words: [{ count: 0 }], top: [], coverage: { files: 0 } });
  });
});
