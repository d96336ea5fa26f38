import tar from 'tar-stream';
import { afterAll, expect, test } from 'vitest';
import type { DiscoveryProgress, DiscoveryResult } from '../../workflows/discovery/contract.ts';
import { eventually } from '../support/eventually.ts';
import { DiscoveryBed, sha256 } from './discovery-bed.ts';

const bed = new DiscoveryBed();
afterAll(() => bed.close());

const FILES = 600;
const ARCHIVES = 6;

/** Every content lies under several names: at other places of the share, and in archives. */
function textOf(index: number): string {
  return `text ${index % (FILES / 2)} of a share\nand its second line\n`;
}

async function archiveOf(number: number): Promise<Buffer> {
  const pack = tar.pack();
  for (let member = 0; member < 20; member++) {
    const text = member % 2 === 0 ? textOf(number * 20 + member) : `only in archive ${number}: ${member}\n`;
    pack.entry({ name: `member-${member}.txt`, mtime: new Date(0) }, Buffer.from(text));
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('workers that are killed in the midst of a crawl neither lose nor double anything', async () => {
  for (let index = 0; index < FILES; index++) await bed.put(`d${index % 7}/file-${index}.txt`, textOf(index));
  for (let number = 0; number < ARCHIVES; number++) await bed.put(`archive-${number}.tar`, await archiveOf(number));
  const large = Buffer.alloc(2 << 20, 'a large file, in which one line comes after the other\n');
  await bed.put('large.txt', large);
  await bed.put('large-copy.txt', large);

  const crawl = await bed.start({ unitFiles: 25, eventsPerRun: 60, concurrency: 3 });
  const progress = () => bed.client.sdk.workflow.getHandle(crawl.workflowId).query<DiscoveryProgress>('progress');
  let workers = [bed.startWorker(), bed.startWorker()];
  for (const share of [0.1, 0.4]) {
    // The workflow may be between two runs, or without a worker, at the moment.
    await eventually('a part of the share is done', async () => (await progress()).tally.discovered >= FILES * share);
    await Promise.all(workers.map((worker) => worker.kill()));
    workers = [bed.startWorker(), bed.startWorker()];
  }
  const result = (await bed.client.sdk.workflow.getHandle(crawl.workflowId).result()) as DiscoveryResult;

  const expected = new Map<string, string>();
  const add = (text: string): unknown => expected.set(sha256(text), text);
  for (let index = 0; index < FILES; index++) add(textOf(index));
  for (let number = 0; number < ARCHIVES; number++) {
    for (let member = 1; member < 20; member += 2) add(`only in archive ${number}: ${member}\n`);
  }
  const texts = [...expected.keys()];
  const others = [sha256(large)];
  for (let number = 0; number < ARCHIVES; number++) others.push(sha256(await archiveOf(number)));
  expect(result).toMatchObject({
    discovered: FILES + ARCHIVES * 21 + 2,
    members: ARCHIVES * 20,
    landed: texts.length + others.length,
    quarantined: 0,
    encrypted: 0,
    failed: 0,
    conserved: true,
  });
  expect(result.landed + result.duplicate).toBe(result.discovered);

  const contents = await bed.contents();
  const landed = await bed.landed();
  for (const { named, hash } of landed) expect(named).toBe(hash);
  const hashes = [...texts, ...others].sort();
  expect(contents.map(({ _id }) => _id).sort()).toEqual(hashes);
  expect(landed.map(({ hash }) => hash).sort()).toEqual(hashes);
  expect((await bed.rows()).size).toBe(result.discovered);
  expect((await bed.files()).filter((path) => path.includes('/.crawls/'))).toEqual([]);

  // The text of each content is there for Hive, once.
  const bundles = (await bed.files()).filter((path) => path.includes('/text/'));
  const lines: string[] = [];
  for (const path of bundles) {
    lines.push(...(await bed.hdfs.readFile(path, { maxBytes: 1 << 28 })).toString().split('\n').slice(0, -1));
  }
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line.slice(0, 64), (counts.get(line.slice(0, 64)) ?? 0) + 1);
  for (const [hash, text] of expected) expect([hash, counts.get(hash)]).toEqual([hash, text.split('\n').length - 1]);

  expect(await bed.crawl()).toMatchObject({ discovered: result.discovered, landed: 0, unchanged: result.discovered });
});
