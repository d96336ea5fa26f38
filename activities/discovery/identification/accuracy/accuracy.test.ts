import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { afterAll, expect, test } from 'vitest';
import { detectCharset } from '../charset/detect.ts';
import { examine } from '../examine.ts';
import { encodedTexts, labelledSet } from './labelled-set.ts';

const directory = mkdtempSync(join(tmpdir(), 'accuracy-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Judges the whole set, names hidden. */
async function judge(): Promise<
  readonly {
    label: string;
    found: string;
    delimiter: string | undefined;
    expected: string | undefined;
    about: string;
  }[]
> {
  const judged = [];
  for (const [index, { label, bytes, delimiter: expected }] of labelledSet().entries()) {
    const path = join(directory, `file-${index}`);
    const workDirectory = join(directory, `work-${index}`);
    writeFileSync(path, bytes);
    mkdirSync(workDirectory);
    const answer = await examine({
      path,
      workDirectory,
      budget: { depth: 3, bytes: 1 << 24, entries: 100 },
      outputBytes: 1 << 26,
    });
    if (answer.state !== 'identified') throw new Error(`file ${index}: ${answer.reason}`);
    const { class: found, facts, evidence } = answer.verdict;
    const dialect = facts['dialect'] as { delimiter?: string } | undefined;
    const about = `${index} ${label} taken for ${found}: ${bytes.subarray(0, 120).toString('latin1')} ${JSON.stringify(evidence)}`;
    judged.push({ label, found, delimiter: dialect?.delimiter, expected, about });
  }
  return judged;
}

const judgedSet = judge();

test('of what is told at most 2 % is wrong, and COMTRADE is always told', async () => {
  const judged = await judgedSet;
  const wrong = judged.filter(({ label, found }) => found !== label && found !== 'unknown');
  expect(wrong.map(({ about }) => about).slice(0, wrong.length > judged.length * 0.02 ? 20 : 0)).toEqual([]);
  expect(
    judged.filter(({ label, found }) => label === 'comtrade' && found !== label).map(({ about }) => about),
  ).toEqual([]);
  // Who says nothing is never wrong.
  expect(judged.filter(({ label, found }) => found === label).length / judged.length).toBeGreaterThan(0.9);
});

test('the delimiter of nine in ten odd tables is found', async () => {
  const tables = (await judgedSet).filter(({ expected }) => expected !== undefined);
  const wrong = tables.filter(({ delimiter, expected }) => delimiter !== expected);
  expect(wrong.length > tables.length * 0.1 ? wrong.map(({ about }) => about) : []).toEqual([]);
});

test('nine in ten texts come out the same, whatever their charset', () => {
  const texts = encodedTexts();
  const wrong = texts.filter(({ text, bytes }) => {
    const found = detectCharset(bytes, true);
    return (
      found.kind !== 'text' ||
      iconv.decode(bytes.subarray(found.markBytes), found.decoder, { stripBOM: false }) !== text
    );
  });
  expect(
    wrong.length > texts.length * 0.1 ? wrong.map(({ charset, text }) => `${charset} ${text.slice(0, 60)}`) : [],
  ).toEqual([]);
});

test('the table in the documentation is the one that was measured', async () => {
  const judged = await judgedSet;
  const classes = [...new Set(judged.map(({ label }) => label))];
  const rows = classes.map((label) => {
    const own = judged.filter((each) => each.label === label);
    const count = (is: (found: string) => boolean): number => own.filter(({ found }) => is(found)).length;
    return `${label}: ${own.length} files, ${count((found) => found === label)} right, ${label === 'unknown' ? 0 : count((found) => found === 'unknown')} unknown, ${count((found) => found !== label && found !== 'unknown')} wrong`;
  });
  const page = readFileSync(new URL('../../../../docs/discovery-identification.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `([\w-]+)` +\| +(\d+) \| +(\d+) \| +(\d+) \| +(\d+) \|/gm)].map(
    ([, label = '', files = '', right = '', unknown = '', wrong = '']) =>
      `${label}: ${files} files, ${right} right, ${unknown} unknown, ${wrong} wrong`,
  );
  expect(documented).toEqual(rows);
});
