import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeZip } from '../../activities/discovery/identification/archive/zip-maker.ts';
import type { DiscoveryResult } from '../../workflows/discovery/contract.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { expectConserved } from './conservation.ts';
import { DiscoveryBed } from './discovery-bed.ts';
import { hasOpen, parsersOf, peakResidentMiB } from './parser-processes.ts';

/** Small files have so long; a machine that is busy must not come to it. */
const WALL_MS = 8_000;
const PARSER_MIB = 448;
/** A parser is looked at every 50 ms, so it may be over for a moment. */
const PARSER_MARGIN_MIB = 200;
const WORKER_MIB = 600;
const MEBIBYTE = 1 << 20;
const VICTIM_ROWS = 150_000;

const bed = new DiscoveryBed();
let worker: WorkerProcess;

beforeAll(() => {
  worker = bed.startWorker({ LEGACY_PARSER_WALL_MS: String(WALL_MS) });
});
afterAll(() => bed.close());

const zeros = (mebibytes: number): Buffer => Buffer.alloc(mebibytes * MEBIBYTE);
const nestedIn = (innermost: Buffer, levels: number): Buffer => {
  let nested = innermost;
  for (let level = levels; level > 0; level--) nested = makeZip([{ name: `${level}.zip`, content: nested }]);
  return nested;
};

/** Content of a file that is read long enough for its parser to be killed meanwhile. */
function longTable(): string {
  const start = Date.UTC(2011, 0);
  const row = (index: number): string =>
    `${new Date(start + index * 60_000).toISOString()};${(index % 977) / 10};50.01`;
  return `time;P [MW];f [Hz]\n${Array.from({ length: VICTIM_ROWS }, (_, index) => row(index)).join('\n')}\n`;
}

/** Files that make simple crawlers run out of something, with all outcomes that are right. */
const FILES: Readonly<Record<string, () => Buffer | string>> = {
  'flat.zip': () => makeZip([{ name: 'zeros', content: zeros(100) }]),
  'flat.gz': () => gzipSync(zeros(100)),
  'bombs.zip': () => {
    const bomb = makeZip([{ name: 'zeros', content: zeros(32) }]);
    return makeZip(Array.from({ length: 10 }, (_, index) => ({ name: `${index}.zip`, content: bomb, method: 0 })));
  },
  'too-deep.zip': () => nestedIn(makeZip([{ name: 'end.txt', content: 'at last\n' }]), 20),
  'overlapping.zip': () =>
    makeZip(
      Array.from({ length: 100 }, (_, index) => ({
        name: `${index}.bin`,
        content: zeros(1),
        sharesOffset: index > 0,
      })),
    ),
  'one-line.txt': () => 'value '.repeat((10 * MEBIBYTE) / 6),
  'deep.json': () => '['.repeat(2 * MEBIBYTE),
  'deep-closed.json': () => `${'{"a":'.repeat(400_000)}1${'}'.repeat(400_000)}`,
  'deep.xml': () => `${'<a>'.repeat(500_000)}${'</a>'.repeat(500_000)}`,
  'laughs.xml': () => {
    const entities = Array.from(
      { length: 30 },
      (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
    ).join('\n');
    return `<?xml version="1.0"?>\n<!DOCTYPE l [\n<!ENTITY l0 "lol">\n${entities}\n]>\n<l>&l30;</l>\n`;
  },
  'outside.xml': () => '<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<l>&x;</l>\n',
  'million-columns.csv': () => {
    const line = (cell: string): string => `${Array.from({ length: 1_000_000 }, () => cell).join(';')}\n`;
    return `${line('c')}${line('1')}${line('2')}`;
  },
  'quotes.csv': () => `a;b\n"${'x;'.repeat(2 * MEBIBYTE)}\n`,
  'victim.csv': longTable,
};

/** What becomes of what is no file that stands still, and of members. */
const EXPECTED: Readonly<Record<string, string>> = {
  'flat.zip!/zeros': 'quarantined budget',
  'flat.gz!/flat': 'quarantined budget',
  'bombs.zip!/0.zip!/zeros': 'quarantined budget',
  [`too-deep.zip${Array.from({ length: 11 }, (_, index) => `!/${index + 1}.zip`).join('')}`]: 'quarantined budget',
  'overlapping.zip!/0.bin': 'landed unknown',
  'overlapping.zip!/1.bin': 'quarantined overlap',
  'victim.csv': 'landed telemetry',
  'a%0Ab': 'landed unknown',
  ['x'.repeat(255)]: 'landed unknown',
  '%C3(%FF.t': 'landed unknown',
  CON: 'landed unknown',
  'directory/loop': 'passed-over directory-visited',
  out: 'passed-over link-leads-out',
  self: 'passed-over link-loop',
  fifo: 'passed-over pipe',
  socket: 'passed-over socket',
};
/** Nobody keeps its owner, or root, from reading. */
const isRoot = process.getuid?.() === 0;

const NAMES: readonly (string | Buffer)[] = [
  ...['CON', 'nul', 'aux.txt', 'COM1', '-', 'a\nb', 'x'.repeat(255)],
  Buffer.from([0xc3, 0x28, 0xff, 0x2e, 0x74]),
];
/** Files that do not stand still. */
const RESTLESS = ['grows', 'shrinks', 'vanishes'];

describe('a hostile share', () => {
  let result: DiscoveryResult;
  let hasDevice = false;
  let killed = 0;
  let parserMiB = 0;

  beforeAll(async () => {
    for (const [name, make] of Object.entries(FILES)) await bed.put(name, make());
    for (const name of NAMES) await bed.put(name, `I am ${String(name)}\n`);
    await bed.put('directory/file', 'found once\n');
    await symlink('.', join(bed.share, 'directory/loop'));
    await symlink('..', join(bed.share, 'out'));
    await symlink('self', join(bed.share, 'self'));
    execFileSync('mkfifo', [join(bed.share, 'fifo')]);
    const socket = createServer().listen(join(bed.share, 'socket'));
    // Only root may, and not everywhere.
    hasDevice = spawnSync('mknod', [join(bed.share, 'device'), 'c', '1', '3']).status === 0;
    await bed.put('unreadable', 'only for its owner\n');
    await chmod(join(bed.share, 'unreadable'), 0);
    for (const name of RESTLESS) await bed.put(name, 'a line of a journal that goes on\n'.repeat(4_000));

    const over = new AbortController();
    const others = [changeFiles(over.signal), watchParsers(over.signal)];
    result = await bed.crawl({ followSymlinks: true }).finally(() => {
      over.abort();
    });
    await Promise.all(others);
    socket.close();
  });

  async function changeFiles(signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      await appendFile(join(bed.share, 'grows'), 'and on\n');
      await writeFile(join(bed.share, 'shrinks'), 'a line\n'.repeat(Math.max(1, 3_000 - turn)));
      // Listed, and perhaps not read yet.
      if (parserMiB > 0) await rm(join(bed.share, 'vanishes'), { force: true });
      await delay(5);
    }
  }

  /** Kills the parser of one file in its midst, once. */
  async function watchParsers(signal: AbortSignal): Promise<void> {
    const victimBytes = longTable().length;
    while (!signal.aborted) {
      for (const pid of await parsersOf(worker.pid)) {
        parserMiB = Math.max(parserMiB, await peakResidentMiB(pid));
        if (killed > 0 || !(await hasOpen(pid, victimBytes))) continue;
        process.kill(pid, 'SIGKILL');
        killed++;
      }
      await delay(10);
    }
  }

  async function verdicts(): Promise<ReadonlyMap<string, string>> {
    const rows = [...(await bed.rows())];
    return new Map(
      rows.map(([path, { outcome, reason, class: kind }]) => [path, `${outcome} ${reason ?? kind ?? ''}`]),
    );
  }

  test('is crawled to its end, and every figure adds up in report, catalogue and HDFS', async () => {
    await expectConserved(bed, result);
    expect(result).toMatchObject({ encrypted: 0, passedOver: hasDevice ? 6 : 5 });
  });

  test('has a row with a reason for whatever could not be had', async () => {
    const found = await verdicts();
    expect(Object.fromEntries(Object.keys(EXPECTED).map((path) => [path, found.get(path)]))).toEqual(EXPECTED);
    for (const name of Object.keys(FILES))
      expect([name, found.get(name)]).toEqual([name, expect.stringMatching(/^landed/)]);
    for (const name of RESTLESS)
      expect([name, found.get(name)]).toEqual([name, expect.stringMatching(/^landed|^failed (?:changing|vanished)/)]);
    if (hasDevice) expect(found.get('device')).toBe('passed-over device');
  });

  test.skipIf(isRoot)('has a file that may not be read (as root it may)', async () => {
    expect((await verdicts()).get('unreadable')).toBe('failed unreadable');
  });

  test('takes no more memory of worker and parsers than they may have', () => {
    expect(killed).toBe(1);
    expect(parserMiB).toBeLessThan(PARSER_MIB + PARSER_MARGIN_MIB);
    expect(worker.peakResidentMiB).toBeLessThan(WORKER_MIB);
  });

  test('with parsers that hang, goes on after their time, and says so', async () => {
    const root = join(bed.share, 'hanging');
    for (let index = 0; index < 10; index++) await bed.put(`hanging/${index}.txt`, `the text of file ${index}\n`);
    // Parsers that nobody needed for a while have ended.
    await bed.crawl({ root, maxFiles: 2 });
    const stopped = await parsersOf(worker.pid);
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    expect(stopped.length).toBeGreaterThan(0);
    const hung = await bed.crawl({ root });
    expect(hung).toMatchObject({ discovered: 10, quarantined: stopped.length, conserved: true });
    const reasons = [...(await verdicts())].filter(([path]) => path.startsWith('hanging/')).map(([, text]) => text);
    expect(reasons.filter((text) => text === 'quarantined wall-time')).toHaveLength(stopped.length);
  });
});
