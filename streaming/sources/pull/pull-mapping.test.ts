import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEnvelope } from '../../../grid/envelope.ts';
import { readPullSources, type PullSourceConfig } from './pull-file.ts';
import { mapReply } from './pull-mapping.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pull-'));
});
afterAll(() => rm(directory, { recursive: true }));

const SOURCE = {
  name: 'stations',
  url: 'https://example.org/data?key=${KEY}',
  intervalSeconds: 60,
  records: 'list',
  sensorId: 'st.{id}.{measure}',
  createdAt: { path: 'dt', format: 'epoch-seconds' },
  measures: [
    { name: 'temperature', value: 'main.temp', unit: '°C' },
    { name: 'load', value: 'load.value', unitPath: 'load.unit' },
  ],
};

async function read(source: object, environment: Record<string, string> = { KEY: 'k' }): Promise<PullSourceConfig> {
  const path = join(directory, 'sources.json');
  await writeFile(path, JSON.stringify({ sources: [source] }));
  const [config] = await readPullSources(path, environment);
  if (config === undefined) throw new Error('no source');
  return config;
}

async function map(source: object, body: string) {
  const { readings, problems } = mapReply(await read(source), body);
  const decoded = readings.map(({ envelope }) => {
    const result = decodeEnvelope(Buffer.from(envelope), 1_800_000_000_000, { maxBytes: 65_536, maxAheadMs: 0 });
    if (!result.ok) throw new Error(result.rejection.message);
    return result.reading;
  });
  return { readings: decoded, problems };
}

describe('the file of sources', () => {
  it('takes keys from the environment', async () => {
    expect((await read(SOURCE)).url).toBe('https://example.org/data?key=k');
    const config = await read({ ...SOURCE, headers: { authorization: 'Bearer ${TOKEN}' } }, { KEY: 'k', TOKEN: 't' });
    expect(config.headers).toEqual({ authorization: 'Bearer t' });
  });

  it('names the variable that is not set, and the source', async () => {
    await expect(read(SOURCE, {})).rejects.toThrow(/stations uses \$\{KEY\} in its url, which is not set/);
  });

  it.each([
    [{ name: 'a b' }, /sources\.0\.name: must have/],
    [{ intervalSeconds: 0 }, /sources\.0\.intervalSeconds/],
    [{ sensorId: '{a..b}' }, /\{a\.\.b\} is no path/],
    [{ measures: [{ name: 'a', value: 'b' }] }, /needs either unit or unitPath/],
    [{ createdAt: { path: 'dt', format: 'unix' } }, /must be epoch-seconds/],
    [{ createdAt: { path: 'dt', format: 'iso', timeZone: 'Nowhere' } }, /must be an IANA time zone/],
    [{ url: 'ftp://${KEY}' }, /no http:\/\/ or https:\/\/ URL/],
    [{ intervall: 5 }, /intervall/],
    [{ url: 'https://u:p@example.org/${KEY}' }, /stations has a user or password in its url/],
    [{ body: '{}' }, /stations has a body, which a GET does not take/],
    [{ headers: { 'X-Key': '${KEY}', 'x-key': 'other' } }, /stations names the header x-key twice/],
    [{ headers: { 'x key': '${KEY}' } }, /stations has a header "x key"/],
    [{ headers: { 'x-key': 'a\nb' } }, /stations has a header "x-key"/],
    [{ intervalSeconds: 86_400 * 31 + 1 }, /sources\.0\.intervalSeconds/],
    [{ maxReplyBytes: 2 ** 53 }, /sources\.0\.maxReplyBytes/],
    [{ measures: [SOURCE.measures[0], SOURCE.measures[0]] }, /sources\.0\.measures: must each have a name/],
  ])('says what is wrong with %j', async (change, message) => {
    await expect(read({ ...SOURCE, ...change })).rejects.toThrow(message);
  });

  it('refuses a name that is used twice, a file that is missing, and one that is not JSON', async () => {
    const path = join(directory, 'two.json');
    await writeFile(path, JSON.stringify({ sources: [SOURCE, SOURCE] }));
    await expect(readPullSources(path, { KEY: 'k' })).rejects.toThrow(/stations is used twice/);
    await expect(readPullSources(join(directory, 'none.json'), {})).rejects.toThrow(/ENOENT/);
    await writeFile(path, '{');
    await expect(readPullSources(path, {})).rejects.toMatchObject({ code: 'invalid-configuration' });
  });

  it('may begin with a byte order mark', async () => {
    const path = join(directory, 'marked.json');
    await writeFile(path, `\uFEFF${JSON.stringify({ sources: [SOURCE] })}`);
    expect(await readPullSources(path, { KEY: 'k' })).toHaveLength(1);
  });

  it('is shown by an example that is valid', async () => {
    const sources = await readPullSources('infra/config/pull-sources.example.json', { OPENWEATHERMAP_API_KEY: 'k' });
    const reply =
      '{"list":[{"id":2950159,"dt":1694902173,"main":{"temp":18.50,"pressure":1013},"wind":{"speed":3.1}}]}';
    const config = sources[0];
    if (config === undefined) throw new Error('no source');
    expect(mapReply(config, reply).readings.map(({ sensorId }) => sensorId)).toEqual([
      'owm.2950159.temperature',
      'owm.2950159.pressure',
      'owm.2950159.wind-speed',
    ]);
  });
});

describe('a reply', () => {
  it('becomes readings with the exact numbers and times that stand in it', async () => {
    const body =
      '{"list":[{"id":12345678901234567890,"dt":1694902173.10,"main":{"temp":18.50},"load":{"value":"7.0","unit":"MW"}}]}';
    expect((await map(SOURCE, body)).readings).toMatchObject([
      { sensorId: 'st.12345678901234567890.temperature', modality: '18.50', unit: '°C', createdAt: '1694902173.10' },
      { sensorId: 'st.12345678901234567890.load', modality: '7.0', unit: 'MW' },
    ]);
  });

  it('that holds the same observation again gives the same readings, and a corrected value a new one', async () => {
    const reply = (temp: string) => `{"list":[{"id":1,"dt":1694902173,"main":{"temp":${temp}}}]}`;
    const [first] = (await map(SOURCE, reply('18.5'))).readings;
    const [again] = (await map(SOURCE, reply('18.5'))).readings;
    const [corrected] = (await map(SOURCE, reply('18.6'))).readings;
    expect(again?.correlationId).toBe(first?.correlationId);
    expect(corrected?.correlationId).not.toBe(first?.correlationId);
  });

  it.each([
    ['epoch-milliseconds', '1694902173122', '1694902173.122'],
    ['iso', '"2023-09-16T22:09:33.122458Z"', '1694902173.122458'],
    ['iso', '"2023-09-17T00:09:33"', '1694902173'],
    ['DD.MM.YYYY HH:mm', '"17.09.2023 00:09"', '1694902140'],
  ])('may tell times as %s', async (format, time, createdAt) => {
    const source = { ...SOURCE, createdAt: { path: 'dt', format, timeZone: 'Europe/Berlin' } };
    const { readings } = await map(source, `{"list":[{"id":1,"dt":${time},"main":{"temp":1}}]}`);
    expect(readings[0]?.createdAt).toBe(createdAt);
  });

  it('may be one record, with parts of the id at its root', async () => {
    const source = { ...SOURCE, records: '', sensorId: '{$.id}', measures: [{ name: 't', value: 'temp', unit: 'K' }] };
    expect((await map(source, '{"id":"x","dt":1694902173,"temp":1}')).readings).toMatchObject([{ sensorId: 'x' }]);
  });

  it('loses only what cannot be mapped, and says what that is', async () => {
    const good = '{"id":1,"dt":1694902173,"main":{"temp":1}}';
    const body = `{"list":[${good},{"id":2,"main":{"temp":1}},{"id":3,"dt":"soon","main":{"temp":1}},{"dt":1694902173,"main":{"temp":1}},{"id":5,"dt":1694902173,"main":{"temp":"warm"}},{"id":6,"dt":1694902173,"main":{"temp":null}}]}`;
    const { readings, problems } = await map(SOURCE, body);
    expect(readings).toHaveLength(1);
    expect(problems).toEqual([
      'record 1: there is no time at dt',
      expect.stringContaining('record 2: "soon" is no time'),
      "record 3: there is nothing at id for the sensor's id",
      'record 4: temperature at main.temp is no number',
    ]);
  });

  it('with more faults than are told counts them all', async () => {
    const { readings, problems, unmapped } = mapReply(
      await read(SOURCE),
      JSON.stringify({ list: Array.from({ length: 50 }, () => ({ main: { temp: 1 } })) }),
    );
    expect({ readings, told: problems.length, unmapped }).toEqual({ readings: [], told: 20, unmapped: 50 });
  });

  it('of many records whose parts stand at its root is read in linear time', async () => {
    const source = { ...SOURCE, sensorId: '{$.list[*].id}.{$.none[*].id}', measures: [SOURCE.measures[0]] };
    const list = Array.from({ length: 20_000 }, (_, id) => ({ id, dt: 1_694_902_173, main: { temp: 1 } }));
    const config = await read(source);
    const before = process.cpuUsage();
    expect(mapReply(config, JSON.stringify({ list })).unmapped).toBe(20_000);
    // Looked up for each record, it would be 400 million steps.
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });

  it.each(['<html>', '{"cod":200}'])('that is not what it should be is refused: %s', async (body) => {
    await expect(map(SOURCE, body)).rejects.toMatchObject({ code: 'malformed-source-data' });
  });
});
