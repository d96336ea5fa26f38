import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HdfsClient, type HdfsPort } from '../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../grid/errors.ts';
import { SEGMENT_LENGTH_MS, SEGMENT_OFFSETS } from '../../grid/segment.ts';
import { loadConfig } from '../../runtime/config.ts';
import { CommitLog } from '../../streaming/sinks/hdfs/commit-log.ts';
import type { CommitRecord } from '../../connectors/hdfs/commit-log/commit-record.ts';
import { takeOver } from '../../streaming/sinks/hdfs/ownership.ts';
import { publishDataFiles } from '../../streaming/sinks/hdfs/publication.ts';
import { readingPlacer, textPlacer } from '../../streaming/sinks/hdfs/placement.ts';
import { WriteBudget } from '../../streaming/sinks/hdfs/write-budget.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy, type Fault } from '../support/fault-proxy.ts';
import { batchOf, contextOf, LIMITS, routesOf } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { TOPIC, writeAll, WriterBed } from './writer-bed.ts';

const bed = new WriterBed();
const noPoint = (): void => undefined;
const envelopes = (count: number): string[] => Array.from({ length: count }, () => makeEnvelope());
const sorted = (values: Iterable<string>): string[] => [...values].sort();

afterEach(() => bed.clear());
afterAll(() => bed.close());

describe('a writer of a partition', () => {
  it('publishes nothing before a commit and everything after it, byte for byte', async () => {
    const values = envelopes(100);
    const writer = bed.writer();
    expect(await writer.open()).toBe(0);
    await writer.process(batchOf(TOPIC, values));
    expect((await bed.masterData()).files.size).toBe(0);

    await writer.close({ kind: 'stopped' });
    const { files } = await bed.masterData();
    const day = new Date().toISOString().slice(0, 10);
    expect([...files]).toEqual([[`${bed.topicsDirectory}/${TOPIC}/dt=${day}/${TOPIC}+0+0+99.json`, values]]);
    expect(await bed.temporaries()).toEqual([]);
  });

  it('goes on behind the newest commit record, whatever Kafka says', async () => {
    const writer = bed.writer();
    await writer.open();
    await writer.process(batchOf(TOPIC, envelopes(7)));
    await writer.close({ kind: 'revoked' });
    const next = bed.writer();
    expect(await next.open()).toBe(7);
    await next.close({ kind: 'stopped' });
  });

  it('puts late and early readings under their own event day', async () => {
    const at = (iso: string): string => makeEnvelope({ createdAt: String(Date.parse(iso) / 1_000) });
    const values = [
      at('2024-02-29T23:59:59.999Z'),
      at('2026-01-01T00:00:00Z'),
      at('2024-03-01T00:00:00Z'),
      at('1990-01-01T00:00:00Z'),
    ];
    const writer = bed.writer();
    await writer.open();
    await writer.process(batchOf(TOPIC, values));
    await writer.close({ kind: 'stopped' });
    const { files } = await bed.masterData();
    expect(sorted(files.keys()).map((path) => path.split('/').slice(-2).join('/'))).toEqual([
      `dt=1990-01-01/${TOPIC}+0+3+3.json`,
      `dt=2024-02-29/${TOPIC}+0+0+0.json`,
      `dt=2024-03-01/${TOPIC}+0+2+2.json`,
      `dt=2026-01-01/${TOPIC}+0+1+1.json`,
    ]);
    const [commit] = await bed.commits();
    expect(commit?.files.map((file) => file.eventTimeMinMs ?? 0).sort((a, b) => a - b)).toEqual(
      ['1990-01-01T00:00:00Z', '2024-02-29T23:59:59.999Z', '2024-03-01T00:00:00Z', '2026-01-01T00:00:00Z'].map(
        Date.parse,
      ),
    );
  });

  it('makes the data of an idle topic visible by age, without another record', async () => {
    const values = envelopes(3);
    const writer = bed.writer({ rotateAgeMs: 300 });
    await writer.open();
    await writer.process(batchOf(TOPIC, values));
    await eventually('the data is visible', async () => (await bed.masterData()).lines.size === 3);
    await writer.close({ kind: 'stopped' });
    expect(await bed.commits()).toHaveLength(1);
  });

  it('commits when a range is large enough', async () => {
    const writer = bed.writer({ rotateBytes: 10_000 });
    await writer.open();
    for (let batch = 0; batch < 4; batch++) await writer.process(batchOf(TOPIC, envelopes(60), batch * 60));
    expect((await bed.commits()).map((commit) => commit.firstOffset)).toEqual([0, 60, 120, 180]);
    await writer.close({ kind: 'stopped' });
  });

  it('ends a commit wherever a segment of offsets ends, and accounts for the offsets on both sides', async () => {
    const writer = bed.writer();
    await writer.open();
    const at = (offset: number, segment: number) => ({
      offset,
      timestampMs: Date.now() - (10 - segment) * SEGMENT_LENGTH_MS,
      value: Buffer.from(makeEnvelope({ createdAt: '1694902173' })),
    });
    const take = async (...records: ReturnType<typeof at>[]): Promise<void> => {
      const nextOffset = (records.at(-1)?.offset ?? 0) + 1;
      await writer.process({ ...batchOf(TOPIC, records), nextOffset });
    };
    // Offset 3 is missing before a cut, as compaction leaves it; two segments are passed over.
    await take(at(0, 1), at(1, 1), at(2, 1), at(4, 2), at(5, 2), at(6, 4));
    await take(at(7, 4), at(SEGMENT_OFFSETS + 5, 4), at(SEGMENT_OFFSETS + 6, 4));
    await writer.close({ kind: 'stopped' });
    const commits = await bed.commits();
    expect(commits.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])).toEqual([
      [0, 3],
      [4, 5],
      [6, SEGMENT_OFFSETS + 4],
      [SEGMENT_OFFSETS + 5, SEGMENT_OFFSETS + 6],
    ]);
    expect(commits.map(({ records, missing }) => [records, missing])).toEqual([
      [3, 1],
      [2, 0],
      [2, SEGMENT_OFFSETS - 3],
      [2, 0],
    ]);
    expect((await bed.masterData()).lines.size).toBe(9);
  });

  it('accounts for every offset: written, unreadable, switched off, missing, expired', async () => {
    const context = contextOf('test', TOPIC);
    const placer = readingPlacer(
      routesOf({ routes: [{ name: 'off', match: { sensorIds: [9] }, sinks: { hdfs: false } }] }),
      LIMITS,
    );
    const writer = bed.writer({ placer }, context);
    await writer.open();
    const records = batchOf(TOPIC, [makeEnvelope(), 'no envelope', null, makeEnvelope({ sensorId: '9' })], 10).records;
    await writer.process({ topic: TOPIC, partition: 0, records, nextOffset: 16, highWatermark: 16, expiredOffsets: 4 });
    await writer.close({ kind: 'stopped' });
    const [commit] = await bed.commits();
    expect(commit).toMatchObject({
      firstOffset: 0,
      lastOffset: 15,
      records: 1,
      unreadable: 2,
      notRouted: 1,
      expired: 4,
      missing: 8,
    });
    expect(context.committed).toEqual([16]);
  });

  it('moves on over a range without a single file', async () => {
    const writer = bed.writer();
    await writer.open();
    await writer.process(batchOf(TOPIC, ['bad', 'worse']));
    await writer.close({ kind: 'stopped' });
    expect(await bed.commits()).toMatchObject([{ lastOffset: 1, records: 0, unreadable: 2, files: [] }]);
  });

  it('keeps a pretty-printed envelope on one line, its breaks between tokens made spaces', async () => {
    const pretty = JSON.stringify(JSON.parse(makeEnvelope()) as unknown, undefined, 2).replaceAll('\n', '\r\n');
    const writer = bed.writer();
    await writer.open();
    await writer.process(batchOf(TOPIC, [pretty, makeEnvelope()]));
    await writer.close({ kind: 'stopped' });
    const [lines] = [...(await bed.masterData()).files.values()];
    expect(lines).toHaveLength(2);
    expect(lines?.[0]).toBe(pretty.replaceAll('\r\n', '  '));
  });

  it('keeps text lines as they are, whatever bytes they hold', async () => {
    const lines = [
      Buffer.from('GET /a\tb'),
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.alloc(0),
      Buffer.from('ü€😀\r'),
      Buffer.alloc(600_000, 'x'),
    ];
    const writer = bed.writer({ placer: textPlacer() });
    await writer.open();
    await writer.process(batchOf(TOPIC, lines));
    await writer.close({ kind: 'stopped' });
    const path = `${bed.topicsDirectory}/${TOPIC}/partition=0/${TOPIC}+0+0+4.txt`;
    const bytes = await bed.hdfs.readFile(path, { maxBytes: 1 << 20 });
    expect(bytes.equals(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])))).toBe(true);
  });

  it('holds its memory and its open files down when there is a path for every sensor', async () => {
    const placer = readingPlacer(routesOf({ default: { hdfsPath: 'sensor_id={sensor_id}/dt={event_day}' } }), LIMITS);
    const writer = bed.writer({ placer, budget: new WriteBudget({ bufferBytes: 1 << 18, openFiles: 2 }) });
    const values = Array.from({ length: 3_000 }, (_, index) => makeEnvelope({ sensorId: `s${index % 60}` }));
    await writer.open();
    await writer.process(batchOf(TOPIC, values));
    await writer.close({ kind: 'stopped' });
    const { lines } = await bed.masterData();
    expect(sorted(lines.keys())).toEqual(sorted(values));
    expect([...lines.values()].every((count) => count === 1)).toBe(true);
  });
});

describe('a zombie, whose partition moved while it slept', () => {
  it('publishes nothing of what it still holds, and its next write is refused', async () => {
    const values = envelopes(50);
    const zombie = bed.writer();
    await zombie.open();
    await zombie.process(batchOf(TOPIC, values));

    const owner = bed.writer();
    expect(await owner.open()).toBe(0);
    await owner.process(batchOf(TOPIC, values));

    await zombie.process(batchOf(TOPIC, envelopes(50), 50));
    await zombie.close({ kind: 'stopped' });
    expect((await bed.masterData()).files.size).toBe(0);

    await owner.close({ kind: 'stopped' });
    expect([...(await bed.masterData()).files.values()]).toEqual([values]);
    expect(await bed.temporaries()).toEqual([]);
  });

  it('publishes nothing of a file that it had open in HDFS all the time', async () => {
    const values = envelopes(4_000);
    const zombie = bed.writer();
    await zombie.open();
    // More than a buffer's worth, so the temporary file is open and half written.
    await zombie.process(batchOf(TOPIC, values));
    const owner = bed.writer();
    await owner.open();
    await zombie.close({ kind: 'revoked' });
    expect((await bed.masterData()).files.size).toBe(0);
    await owner.process(batchOf(TOPIC, values));
    await owner.close({ kind: 'stopped' });
    expect((await bed.masterData()).lines.size).toBe(4_000);
    expect(await bed.temporaries()).toEqual([]);
  });

  it('cannot publish a commit record that it had already written', async () => {
    const log = new CommitLog(bed.hdfs, bed.layout, noPoint);
    const { owner } = await takeOver(bed.hdfs, bed.layout, log, noPoint);
    const record = emptyCommit(0, 9, owner);
    await log.write(record, owner);
    await takeOver(bed.hdfs, bed.layout, new CommitLog(bed.hdfs, bed.layout, noPoint), noPoint);
    await expect(log.publish(record, owner)).rejects.toMatchObject({ code: 'commit-lost', disposition: 'restart' });
    expect(await bed.commits()).toEqual([]);
  });

  it('loses to the owner that committed the range first, even when nobody fenced it', async () => {
    const log = new CommitLog(bed.hdfs, bed.layout, noPoint);
    const { owner } = await takeOver(bed.hdfs, bed.layout, log, noPoint);
    await log.write(emptyCommit(0, 9, owner), owner);
    await bed.hdfs.makeDirectory(bed.layout.ownerDirectory('other'));
    await log.write(emptyCommit(0, 5, 'other'), 'other');
    await log.publish(emptyCommit(0, 5, 'other'), 'other');
    await expect(log.publish(emptyCommit(0, 9, owner), owner)).rejects.toMatchObject({ code: 'commit-lost' });
    expect(await bed.commits()).toMatchObject([{ lastOffset: 5, owner: 'other' }]);
  });
});

describe('taking a partition over', () => {
  it('finishes the renames of a commit whose owner died, from the fenced directory', async () => {
    const values = envelopes(20);
    const { record, owner, log } = await committedButNotPublished(values);
    await log.publish(record, owner);
    expect((await bed.masterData()).files.size).toBe(0);

    const next = bed.writer();
    expect(await next.open()).toBe(20);
    expect([...(await bed.masterData()).files.values()]).toEqual([values]);
    await next.close({ kind: 'stopped' });
    expect(await bed.temporaries()).toEqual([]);
    // The dead owner wakes: what it would still do is done.
    expect(await publishDataFiles(bed.hdfs, bed.layout, record, owner, noPoint)).toEqual([]);
    expect([...(await bed.masterData()).files.values()]).toEqual([values]);
  });

  it('throws away what was written but not committed', async () => {
    await committedButNotPublished(envelopes(20));
    const next = bed.writer();
    expect(await next.open()).toBe(0);
    await next.close({ kind: 'stopped' });
    expect((await bed.masterData()).files.size).toBe(0);
    expect(await bed.temporaries()).toEqual([]);
  });

  it('that pauses before it clears away deletes nothing that a later owner needs', async () => {
    await bed.hdfs.makeDirectory(bed.layout.ownerDirectory('long-dead'));
    const slow = gate();
    const atDelete = gate();
    const paused: HdfsPort = Object.create(bed.hdfs, {
      delete: {
        value: async (path: string, options?: { recursive?: boolean }) => {
          atDelete.open();
          await slow.opened;
          return bed.hdfs.delete(path, options);
        },
      },
      // Methods inherited through a prototype would lose the client's private fields.
      ...Object.fromEntries(
        (['makeDirectory', 'list', 'rename', 'status', 'checksum', 'readFile', 'writeFile'] as const).map((name) => [
          name,
          { value: bed.hdfs[name].bind(bed.hdfs) },
        ]),
      ),
    }) as HdfsPort;
    const slowOwner = takeOver(paused, bed.layout, new CommitLog(paused, bed.layout, noPoint), noPoint);
    await atDelete.opened;

    // Meanwhile another owner commits and dies before its data file is renamed, and a third fences it.
    const values = envelopes(5);
    const { record, owner, log } = await committedButNotPublished(values);
    await log.publish(record, owner);
    await bed.hdfs.rename(bed.layout.ownerDirectory(owner), bed.layout.fencedDirectory(owner));
    slow.open();
    await slowOwner;

    const next = bed.writer();
    expect(await next.open()).toBe(5);
    expect([...(await bed.masterData()).files.values()]).toEqual([values]);
    await next.close({ kind: 'stopped' });
  });

  it('stops at a commit record that cannot be read instead of guessing', async () => {
    await bed.hdfs.writeFile(bed.layout.commitRecord(0), Buffer.from('{"version":1'), { createParent: true });
    await expect(bed.writer().open()).rejects.toMatchObject({ code: 'commit-log-corrupt', retryable: false });
  });
});

describe('the commit log', () => {
  it('is folded into checkpoints and still tells of every commit', async () => {
    const writer = bed.writer({ rotateBytes: 1, checkpointCommits: 4 });
    await writer.open();
    for (let offset = 0; offset < 11; offset++) await writer.process(batchOf(TOPIC, envelopes(1), offset));
    await writer.close({ kind: 'stopped' });
    expect((await bed.commits()).map((commit) => [commit.firstOffset, commit.lastOffset])).toEqual(
      Array.from({ length: 11 }, (_, offset) => [offset, offset]),
    );
    const names = (await listNames(bed.layout.commitsDirectory)).filter((name) => name.includes('checkpoint'));
    expect(names).toEqual([0, 3, 6].map((offset) => `${String(offset).padStart(20, '0')}.checkpoint.json`));
    expect((await listNames(bed.layout.commitsDirectory)).length).toBe(5);
  });

  it.each(['checkpoint-written', 'checkpoint-published', 'folded-record-deleted'] as const)(
    'tells of every commit once when the folding was cut short at %s',
    async (point) => {
      const writer = bed.writer({
        rotateBytes: 1,
        checkpointCommits: 4,
        onPoint(passed) {
          if (passed === point) throw new GridError('hdfs-unavailable', 'cut short for the test');
        },
      });
      await writer.open();
      await expect(
        (async () => {
          for (let offset = 0; offset < 4; offset++) await writer.process(batchOf(TOPIC, envelopes(1), offset));
        })(),
      ).rejects.toThrow('cut short');
      await writer.close({ kind: 'failed', error: new GridError('hdfs-unavailable', 'cut short for the test') });

      const next = bed.writer({ rotateBytes: 1, checkpointCommits: 4 });
      expect(await next.open()).toBe(4);
      for (let offset = 4; offset < 9; offset++) await next.process(batchOf(TOPIC, envelopes(1), offset));
      await next.close({ kind: 'stopped' });
      expect((await bed.commits()).map((commit) => commit.firstOffset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      expect((await bed.masterData()).lines.size).toBe(9);
    },
  );
});

describe('through a network and servers that fail', () => {
  let proxy: FaultProxy;
  let hdfs: HdfsClient;

  beforeAll(async () => {
    proxy = await FaultProxy.start(loadConfig().WEBHDFS_URL[0] ?? '');
    hdfs = new HdfsClient({
      nameNodeUrls: [proxy.url],
      user: 'powergrid',
      callTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
      retries: 1,
    });
  });
  afterAll(async () => {
    await hdfs.close();
    await proxy.close();
  });
  afterEach(() => {
    proxy.reset();
  });

  const faults: [string, string, Fault][] = [
    ...['CREATE', 'RENAME', 'MKDIRS', 'GETFILECHECKSUM', 'LISTSTATUS_BATCH', 'DELETE'].flatMap(
      (op): [string, string, Fault][] => [
        [op, 'answers 503', { kind: 'status', status: 503 }],
        [op, 'is done, but its reply is lost', { kind: 'cut-afterwards' }],
        [op, 'hangs', { kind: 'hang' }],
      ],
    ),
    ['CREATE', 'is cut in the middle of the data', { kind: 'cut-request', afterBytes: 700 }],
    ['CREATE', 'loses the end of the data', { kind: 'shorten-request', toBytes: 500 }],
    ['CREATE', 'turns a bit of the data', { kind: 'corrupt-request', atByte: 300 }],
  ];

  it.each(faults)(
    'every record is in one file when %s %s',
    async (op, _what, fault) => {
      const values = envelopes(40);
      proxy.add({ op, fault, skip: 1, times: 2 });
      await writeAll(
        () => bed.writer({ hdfs, rotateBytes: 2_000 }),
        (offset) => (offset >= values.length ? undefined : batchOf(TOPIC, values.slice(offset, offset + 10), offset)),
      );
      const { lines } = await bed.masterData();
      expect(sorted(lines.keys())).toEqual(sorted(values));
      expect([...lines.values()].every((count) => count === 1)).toBe(true);
      expect(await bed.temporaries()).toEqual([]);
    },
    240_000,
  );

  it('every record is in one file when faults come at random', async () => {
    const values = envelopes(300);
    const kinds: Fault[] = faults.map(([, , fault]) => fault).filter((fault) => fault.kind !== 'hang');
    let seed = 7;
    const next = (limit: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % limit;
    };
    for (let index = 0; index < 60; index++) {
      proxy.add({ fault: kinds[next(kinds.length)] ?? { kind: 'cut' }, skip: 5 + next(400), times: 1 });
    }
    await writeAll(
      () => bed.writer({ hdfs, rotateBytes: 3_000, checkpointCommits: 5 }),
      (offset) => (offset >= values.length ? undefined : batchOf(TOPIC, values.slice(offset, offset + 10), offset)),
    );
    const { lines } = await bed.masterData();
    expect(sorted(lines.keys())).toEqual(sorted(values));
    expect([...lines.values()].every((count) => count === 1)).toBe(true);
    expect((await bed.commits()).reduce((sum, commit) => sum + commit.records, 0)).toBe(300);
  });
});

function emptyCommit(firstOffset: number, lastOffset: number, owner: string): CommitRecord {
  return {
    version: 1,
    topic: TOPIC,
    partition: 0,
    firstOffset,
    lastOffset,
    records: 0,
    unreadable: lastOffset - firstOffset + 1,
    notRouted: 0,
    missing: 0,
    expired: 0,
    owner,
    committedAt: new Date().toISOString(),
    files: [],
  };
}

/** Something to wait for until the test opens it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    opened,
    open: () => {
      open();
    },
  };
}

/** An owner that wrote and verified its file and its commit record, and then died before publishing either. */
async function committedButNotPublished(values: string[]) {
  const log = new CommitLog(bed.hdfs, bed.layout, noPoint);
  const { owner } = await takeOver(bed.hdfs, bed.layout, log, noPoint);
  const temporaryPath = `${bed.layout.ownerDirectory(owner)}/data-0-1`;
  const written = await bed.hdfs.writeFile(temporaryPath, Buffer.from(values.map((value) => `${value}\n`).join('')));
  const record: CommitRecord = {
    ...emptyCommit(0, values.length - 1, owner),
    records: values.length,
    unreadable: 0,
    files: [
      {
        temporaryPath,
        path: bed.layout.dataFile('dt=2026-01-01', 0, values.length - 1, 'json'),
        lengthBytes: written.lengthBytes,
        checksum: written.checksum,
        records: values.length,
        firstOffset: 0,
        lastOffset: values.length - 1,
        eventTimeMinMs: 0,
        eventTimeMaxMs: 0,
      },
    ],
  };
  await log.write(record, owner);
  return { log, owner, record };
}

async function listNames(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const status of bed.hdfs.list(directory)) names.push(status.name);
  return names;
}
