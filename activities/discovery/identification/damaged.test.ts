import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { Chance } from './accuracy/chance.ts';
import { labelledSet } from './accuracy/labelled-set.ts';
import { makeZip } from './archive/zip-maker.ts';
import { examine } from './examine.ts';

const directory = mkdtempSync(join(tmpdir(), 'damaged-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Beginnings of formats that are more than text, and files of each class. */
function originals(): readonly Buffer[] {
  const signatures = [
    'd0cf11e0a1b11ae1',
    '255044462d312e34',
    '4d5a90000300',
    '1f8b0808',
    '504b0304',
    '504b0506',
    '425a6839',
    'fd377a585a00',
    '030b0c1f',
    'ffd8ffe0',
    '49492a00',
    'fffe',
    '0000feff',
    '89504e470d0a1a0a',
  ];
  return [
    ...labelledSet()
      .filter((_, index) => index % 17 === 0)
      .map(({ bytes }) => bytes),
    ...signatures.map((hex) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(600, 7)])),
    makeZip([
      { name: 'a', content: 'abc' },
      { name: 'b', content: 'x'.repeat(300), hasDescriptor: true },
    ]),
    gzipSync('hello '.repeat(40)),
  ];
}

test('whatever is cut or damaged has a verdict, and no detector fails of it', async () => {
  const chance = new Chance(7);
  let files = 0;
  for (const bytes of originals()) {
    for (let round = 0; round < 4; round++) {
      const damaged = Buffer.from(bytes.subarray(0, 1 + chance.below(Math.min(4_096, Math.max(1, bytes.length)))));
      for (let flips = round; flips > 0; flips--) damaged[chance.below(damaged.length)] = chance.below(256);
      const path = join(directory, `file-${files}`);
      const workDirectory = join(directory, `work-${files++}`);
      writeFileSync(path, damaged);
      mkdirSync(workDirectory);
      const answer = await examine({
        path,
        workDirectory,
        budget: { depth: 2, bytes: 1 << 20, entries: 10 },
        outputBytes: 1 << 20,
      });
      expect(answer, `${damaged.subarray(0, 40).toString('hex')}, cut to ${damaged.length}`).toMatchObject({
        state: 'identified',
      });
    }
  }
});
