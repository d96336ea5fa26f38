import { rm, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { drain, NOW_MS, open, pathOf, put, told, wide, useFileBed } from '../../../test/sources/file-bed.ts';

useFileBed();

describe('the position', () => {
  const rows = Array.from({ length: 40 }, (_row, index) => `${1_704_067_200 + index * 60},${index},${index}.5`);
  const content = `time,A,B\n${rows.join('\n')}\n`;
  const files = ['a.csv', 'b.csv', 'c.csv.gz'].map((path) =>
    wide(path, { id: '{file}.{column}', time: { column: 'time', format: 'epoch-seconds' } }),
  );
  const state = () => pathOf('state/position.json');
  const fill = async () => {
    await put('a.csv', content);
    await put('b.csv', content);
    await put('c.csv.gz', gzipSync(content));
  };

  test('lets a restart go on behind what was acknowledged, with the same ids for what comes twice', async () => {
    await fill();
    const whole = await drain(await open({ files }));
    expect(whole.records).toHaveLength(240);
    for (const batches of [0, 1, 7, 19, 40]) {
      await rm(state(), { force: true });
      const first = await open({ files }, { stateFile: state() });
      const before = await drain(first, Infinity, 5, batches);
      // Handed out, never acknowledged.
      await first.source.take(Infinity, 5);
      await first.source.close();
      const second = await open({ files }, { stateFile: state() });
      const after = await drain(second);
      await second.source.close();
      expect([...before.records, ...after.records].map(({ value }) => value)).toEqual(
        whole.records.map(({ value }) => value),
      );
    }
  });

  test('keeps the shift, so that what comes twice has the same event times', async () => {
    await fill();
    const options = { stateFile: state(), timestamps: 'shifted', speed: 1 } as const;
    const first = await open({ files }, options);
    const before = await drain(first, Infinity, 10, 3);
    await first.source.close();
    const restarted = await open({ files }, { ...options, now: () => NOW_MS + 600_000 });
    expect(restarted.startMs).toBe(NOW_MS + 600_000);
    expect(restarted.fromMs).toBeLessThan(restarted.startMs);
    const after = await drain(restarted);
    const readings = [...before.readings, ...after.readings];
    expect(readings).toHaveLength(240);
    expect((readings.at(-1)?.eventTimeMs ?? 0) - (readings[0]?.eventTimeMs ?? 0)).toBe(39 * 60_000);
  });

  test('of a finished replay says so, and nothing is sent again', async () => {
    await fill();
    const first = await open({ files }, { stateFile: state() });
    await drain(first);
    await first.source.close();
    const second = await open({ files }, { stateFile: state() });
    expect(await drain(second)).toEqual({ readings: [], text: [], records: [] });
    expect(await second.source.take(Infinity, 10)).toEqual({ kind: 'finished' });
  });

  test('of another data set, of other time stamps, of a changed file or of no JSON is refused', async () => {
    await fill();
    const first = await open({ files }, { stateFile: state() });
    await drain(first, Infinity, 10, 3);
    await first.source.close();
    await expect(open({ files, dataset: 'other' }, { stateFile: state() })).rejects.toThrow('data set test');
    await expect(open({ files }, { stateFile: state(), timestamps: 'shifted' })).rejects.toThrow('original');
    await put('a.csv', content.replace('A,B', 'A,C'));
    await expect(open({ files }, { stateFile: state() })).rejects.toThrow('header');
    await put('a.csv', content.slice(0, 10));
    await expect(open({ files }, { stateFile: state() })).rejects.toThrow('shorter');
    await writeFile(state(), 'half a fi');
    await expect(open({ files }, { stateFile: state() })).rejects.toMatchObject({ code: 'invalid-configuration' });
  });

  test('is not that of the end when a file broke off: the error is told and the rest is read again later', async () => {
    await fill();
    const noise = Array.from(
      { length: 60_000 },
      (_row, index) => `${1_704_067_200 + index},${(index * 7_919) % 10_007}`,
    );
    const whole = gzipSync(`time,A\n${noise.join('\n')}\n`);
    await put('c.csv.gz', whole.subarray(0, whole.length / 2));
    const broken = [wide('c.csv.gz', { time: { column: 'time', format: 'epoch-seconds' } })];
    const opened = await open({ files: broken }, { stateFile: state() });
    const { readings } = await drain(opened, Infinity, 5_000);
    expect(readings.length).toBeGreaterThan(1_000);
    await expect(opened.source.close()).rejects.toMatchObject({ code: 'malformed-source-data' });
    await put('c.csv.gz', whole);
    const rest = await drain(await open({ files: broken }, { stateFile: state() }), Infinity, 5_000);
    expect(readings.length + rest.readings.length).toBe(60_000);
  });
});

/** Runs the source to its end, as often as it is started; what each run sent, as `sensor value`. */
async function run(mapping: object, changed: Parameters<typeof open>[1] = {}): Promise<string[]> {
  const opened = await open(mapping, { stateFile: pathOf('position.json'), ...changed });
  const { readings, text } = await drain(opened);
  await opened.source.close();
  expect(text.map(({ value }) => value)).toEqual([]);
  return readings.map(({ sensorId, modality }) => `${sensorId} ${modality}`);
}

const day = (number: number): string => `2024-01-${String(number).padStart(2, '0')}`;
const at = (number: number): number => Date.UTC(2024, 0, number);

describe('behind the end of a replay', () => {
  const mapping = { files: [wide('a.csv')] };

  test.each([
    ['plain', 'a.csv', (text: string) => text],
    ['compressed', 'a.csv.gz', (text: string) => gzipSync(text)],
  ])('rows that were appended are sent, and nothing else (%s)', async (_what, name, encode) => {
    const files = { files: [wide(name)] };
    const first = `time,A\n${day(1)},1\n${day(2)},2\n`;
    await put(name, encode(first));
    expect(await run(files)).toEqual(['A 1', 'A 2']);
    expect(await run(files)).toEqual([]);
    await put(name, encode(`${first}${day(3)},3\n`));
    expect(await run(files)).toEqual(['A 3']);
    await put(name, encode(`${first}${day(3)},3\n${day(4)},4\n`));
    expect(await run(files)).toEqual(['A 4']);
  });

  test('another file of the mapping is sent, also one whose rows are older', async () => {
    await put('a.csv', `time,A\n${day(2)},2\n`);
    await put('b.csv', `time,B\n${day(1)},1\n${day(3)},3\n`);
    expect(await run(mapping)).toEqual(['A 2']);
    expect(await run({ files: [wide('a.csv'), wide('b.csv')] })).toEqual(['B 1', 'B 3']);
    expect(await run({ files: [wide('b.csv')] })).toEqual([]);
    expect(await run({ files: [wide('a.csv'), wide('b.csv')] })).toEqual([]);
  });

  test('another range is what of it was not sent, also where rows are not in the order of time', async () => {
    // By sensor: what a range leaves out lies between what it takes.
    const rows = ['A', 'B'].flatMap((sensor) => [1, 2, 3, 4].map((number) => `${day(number)},${sensor},${number}`));
    await put('a.csv', `time,sensor,value\n${rows.join('\n')}\n`);
    const long = { layout: 'long', sensorColumn: 'sensor', valueColumn: 'value', unit: 'MW', time: { column: 'time' } };
    const files = { files: [{ ...long, path: 'a.csv' }] };
    expect(await run(files, { fromMs: at(2), toMs: at(3) })).toEqual(['A 2', 'B 2']);
    expect(await run(files, { fromMs: at(2), toMs: at(3) })).toEqual([]);
    expect(await run(files, { fromMs: at(2), toMs: at(4) })).toEqual(['A 3', 'B 3']);
    expect(await run(files, { fromMs: at(1), toMs: at(2) })).toEqual(['A 1', 'B 1']);
    expect(await run(files)).toEqual(['A 4', 'B 4']);
    expect(await run(files, { toMs: at(3) })).toEqual([]);
    expect(await run(files)).toEqual([]);
  });

  test('another range holds within a replay that was stopped, too, wherever that was', async () => {
    const rows = ['A', 'B'].flatMap((sensor) => [1, 2, 3, 4].map((number) => `${day(number)},${sensor},${number}`));
    await put('a.csv', `time,sensor,value\n${rows.join('\n')}\n`);
    const long = { layout: 'long', sensorColumn: 'sensor', valueColumn: 'value', unit: 'MW', time: { column: 'time' } };
    const files = { files: [{ ...long, path: 'a.csv' }] };
    const stateFile = pathOf('position.json');
    for (const batches of [0, 1, 2, 3, 4]) {
      await rm(stateFile, { force: true });
      const sent: string[] = [];
      for (const options of [{ toMs: at(3) }, { fromMs: at(2), toMs: at(4) }, {}, { toMs: at(2) }]) {
        const opened = await open(files, { stateFile, ...options });
        const { readings } = await drain(opened, Infinity, 1, batches);
        sent.push(...readings.map(({ sensorId, modality }) => `${sensorId} ${modality}`));
        await opened.source.close();
      }
      sent.push(...(await run(files)));
      expect(sent.sort()).toEqual(['A 1', 'A 2', 'A 3', 'A 4', 'B 1', 'B 2', 'B 3', 'B 4']);
    }
  });

  test('a file of a removed mapping entry that comes back in another range lacks nothing', async () => {
    await put('a.csv', `time,A\n${day(1)},1\n${day(2)},2\n`);
    await put('b.csv', `time,B\n${day(1)},1\n${day(2)},2\n`);
    const both = { files: [wide('a.csv'), wide('b.csv')] };
    expect(await run(both, { toMs: at(2) })).toEqual(['A 1', 'B 1']);
    expect(await run(mapping)).toEqual(['A 2']);
    expect(await run(both)).toEqual(['B 2']);
  });

  test('a loop goes on with its next pass', async () => {
    await put('a.csv', `time,A\n${day(1)},1\n${day(2)},2\n`);
    expect(await run(mapping)).toEqual(['A 1', 'A 2']);
    const opened = await open(mapping, { stateFile: pathOf('position.json'), loop: true });
    const { readings } = await drain(opened, Infinity, 1, 6);
    await opened.source.close();
    expect(readings.slice(0, 3).map(({ modality }) => modality)).toEqual(['1', '2', '1']);
  });

  test('rows that came too late for the shift of the replay are refused, and sent at true speed', async () => {
    await put('a.csv', `time,A\n${day(1)},1\n${day(2)},2\n`);
    const shifted = { timestamps: 'shifted', speed: 86_400 } as const;
    expect(await run(mapping, shifted)).toEqual(['A 1', 'A 2']);
    await put('a.csv', `time,A\n${day(1)},1\n${day(2)},2\n${day(5)},5\n`);
    await expect(run(mapping, shifted)).rejects.toThrow(
      /ahead of the clock.*FILE_SOURCE_SPEED=1.*delete the state file/,
    );
    const threeDays = 3 * 86_400_000;
    const opened = await open(mapping, {
      ...shifted,
      stateFile: pathOf('position.json'),
      now: () => NOW_MS + threeDays,
    });
    expect((await opened.source.take(Infinity, 10)).kind).toBe('batch');
    await opened.source.close();
  });
});

describe('a file that is not what it was', () => {
  const files = { files: [wide('a.csv')] };
  const rows = (month: string, value: string): string =>
    Array.from({ length: 28 }, (_, index) => `2024-${month}-${String(index + 1).padStart(2, '0')},${value}\n`).join('');

  test.each([
    ['plain', 'a.csv', (text: string) => Buffer.from(text)],
    ['compressed', 'a.csv.gz', (text: string) => gzipSync(text)],
  ])('is refused, with the same header and at least the same length (%s)', async (_what, name, encode) => {
    const mapping = { files: [wide(name)] };
    const stateFile = pathOf('position.json');
    await put(name, encode(`time,A\n${rows('01', '1')}${rows('02', '1')}`));
    const opened = await open(mapping, { stateFile });
    await drain(opened, Infinity, 1, 30);
    await opened.source.close();
    for (const other of [rows('02', '1') + rows('03', '1'), rows('01', '1') + rows('03', '1') + rows('04', '1')]) {
      await put(name, encode(`time,A\n${other}`));
      await expect(open(mapping, { stateFile })).rejects.toMatchObject({ code: 'invalid-configuration' });
      await expect(open(mapping, { stateFile })).rejects.toThrow(
        /is not the file any more of which \d+ bytes were read: .* a name of its own in the mapping.*Delete it to replay/,
      );
    }
    await put(name, encode(`time,A\n${rows('01', '1')}`.slice(0, 100)));
    await expect(open(mapping, { stateFile })).rejects.toThrow(/shorter than what was read/);
    await put(name, encode(`time,A\n${rows('01', '1')}${rows('02', '1')}`));
    expect((await drain(await open(mapping, { stateFile }))).readings).toHaveLength(26);
  });

  test('is refused in another range as well, and behind its end', async () => {
    await put('a.csv', `time,A\n${rows('01', '1')}`);
    await run(files, { toMs: at(20) });
    await put('a.csv', `time,A\n${rows('02', '1')}${rows('03', '1')}`);
    await expect(run(files)).rejects.toThrow(/is not the file any more/);
    await expect(run(files, { toMs: at(20) })).rejects.toThrow(/is not the file any more/);
  });

  test('is told apart by the times of wide rows, too', async () => {
    const wideRows = (month: string): string =>
      Array.from({ length: 20 }, (_, index) => `2024-${month}-${index + 10}${',0.0'.repeat(5_000)}\n`).join('');
    const header = `time,${Array.from({ length: 5_000 }, (_, index) => `c${index}`).join(',')}\n`;
    await put('a.csv', `${header}${wideRows('01')}`);
    const stateFile = pathOf('position.json');
    const opened = await open(files, { stateFile });
    await drain(opened, Infinity, 1, 5);
    await opened.source.close();
    await put('a.csv', `${header}${wideRows('02')}`);
    await expect(open(files, { stateFile })).rejects.toThrow(/is not the file any more/);
  });
});

describe('a last line without a line break', () => {
  const cut = { files: [wide('a.csv')] };
  const complete = { files: [wide('a.csv', { lastLine: 'complete' })] };
  const head = `time,A\n${day(1)},1\n${day(2)},2`;

  test('is held back while it may still be written, told, and sent whole by a later run', async () => {
    await put('a.csv', head);
    expect(await run(cut)).toEqual(['A 1']);
    expect(told).toEqual([expect.stringMatching(/has no line break and may still be written.*"lastLine": "complete"/)]);
    expect(await run(cut)).toEqual([]);
    await put('a.csv', `${head}5.5\n`);
    expect(await run(cut)).toEqual(['A 25.5']);
    expect(await run(cut)).toEqual([]);
  });

  test('is sent when nobody has changed the file for a day, or the mapping says that it is whole', async () => {
    await put('a.csv', head);
    expect(await run(complete)).toEqual(['A 1', 'A 2']);
    await rm(pathOf('position.json'));
    const longAgo = new Date(NOW_MS - 25 * 3_600_000);
    await utimes(pathOf('a.csv'), longAgo, longAgo);
    expect(await run({ files: [wide('a.csv', { lastLine: 'held' })] })).toEqual(['A 1']);
    expect(await run(cut)).toEqual(['A 2']);
    expect(told.filter((message) => message.includes('no line break'))).toHaveLength(1);
  });

  test('is sent from a gzip file, whose stream says that it ends', async () => {
    await put('a.csv.gz', gzipSync(head));
    expect(await run({ files: [wide('a.csv.gz')] })).toEqual(['A 1', 'A 2']);
  });

  test.each(['\n', '\r\n'])(
    'that was sent gets its line break %j and rows behind it: those have their own ids',
    async (end) => {
      await put('a.csv', head);
      await run(complete);
      await put('a.csv', `${head}${end}${day(3)},3\n`);
      const opened = await open(complete, { stateFile: pathOf('position.json') });
      const appended = await drain(opened);
      await opened.source.close();
      const whole = await drain(await open(complete));
      expect(appended.text).toEqual([]);
      expect(appended.records).toEqual(whole.records.slice(2));
    },
  );

  test('that was sent as whole and then went on is told and counted, never a reading', async () => {
    await put('a.csv', head);
    await run(complete);
    await put('a.csv', `${head}5.5\n${day(3)},3\n`);
    const { readings, text } = await drain(await open(complete, { stateFile: pathOf('position.json') }));
    expect(readings.map(({ modality }) => modality)).toEqual(['3']);
    expect(text.map(({ value }) => value)).toEqual([
      expect.stringMatching(
        /^a\.csv\t3\t\tmalformed-source-data\tit continues a line of which the part before.*\t5\.5$/,
      ),
    ]);
  });
});

describe('a position of the first version', () => {
  const files = { files: [wide('a.csv')] };
  const content = `time,A\n${day(1)},1\n${day(2)},2\n${day(3)},3\n`;
  const save = (changed: object) =>
    writeFile(
      pathOf('position.json'),
      JSON.stringify({
        ...{ version: 1, dataset: 'test', timestamps: 'original', shiftSeconds: 0, pass: 0, complete: false },
        files: { 'a.csv': { row: 3, byte: 20, latestMs: at(1), header: 'time,A' } },
        ...changed,
      }),
    );

  test('goes on where it stands', async () => {
    await put('a.csv', content);
    await save({});
    expect(await run(files)).toEqual(['A 2', 'A 3']);
    expect(await run(files)).toEqual([]);
  });

  test('of a replay that had ended: what is there counts as sent, which is told, and what comes is sent', async () => {
    await put('a.csv', content);
    await save({ complete: true, pass: 1, files: {} });
    expect(await run(files)).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/all that they hold now counts as replayed. Delete the state file/)]);
    await put('a.csv', `${content}${day(4)},4\n`);
    expect(await run(files)).toEqual(['A 4']);
  });

  test.each([
    ['version', { version: 3 }],
    ['negative place', { files: { 'a.csv': { row: 3, byte: -1, latestMs: null, header: '' } } }],
    ['place beyond all numbers', { files: { 'a.csv': { row: 3, byte: 1e300, latestMs: null, header: '' } } }],
  ])('with an impossible %s is refused', async (_what, changed) => {
    await put('a.csv', content);
    await save(changed);
    await expect(run(files)).rejects.toMatchObject({ code: 'invalid-configuration' });
  });
});

test('a file may be called like a member of every object', async () => {
  for (const name of ['constructor', '__proto__', 'toString']) await put(name, `time,A\n${day(1)},${name.length}\n`);
  const files = {
    files: ['constructor', '__proto__', 'toString'].map((name) => wide(name, { id: '{column}.{file}' })),
  };
  expect(await run(files)).toHaveLength(3);
  expect(await run(files)).toEqual([]);
});
