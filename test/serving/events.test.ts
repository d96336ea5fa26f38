import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { EventStream } from './event-stream.ts';
import { cleanUp, ownNames, ServingBed } from './serving-bed.ts';

const { environment } = ownNames('events', REDIS_DATABASES.servingEvents);
/** Clients that may be there at once. */
const CLIENTS = 100;
let bed: ServingBed;

beforeAll(async () => {
  bed = await ServingBed.start({
    ...environment,
    SERVING_EVENT_KEYS: '500',
    SERVING_EVENT_CLIENTS: String(CLIENTS),
    ACCESS_REQUESTS_PER_SECOND: '10000',
  });
  await bed.makeTopics(2);
  // Once the feed knows the topics, what is sent is heard.
  const probe = open('?sensors=probe');
  await eventually('events come', async () => {
    await send(reading('probe', '1'));
    return probe.of('reading').length > 0;
  });
  probe.close();
});
afterAll(async () => {
  await bed.stop();
  await cleanUp(environment);
});

const open = (query = '', headers: Readonly<Record<string, string>> = {}): EventStream =>
  new EventStream(`${bed.url}/api/events${query}`, headers);
const send = (messages: { key: string; value: string }[] | { key: string; value: string }) =>
  bed.topics.send(bed.config.TOPIC_INGESTION, [messages].flat());
let seconds = Math.floor(Date.now() / 1_000);
const reading = (sensorId: string, modality: string, createdAt = String(++seconds), correlationId?: string) => ({
  key: sensorId,
  value: makeEnvelope({ sensorId, modality, createdAt, ...(correlationId === undefined ? {} : { correlationId }) }),
});
const valuesOf = (stream: EventStream, sensorId?: string): string[] =>
  stream
    .of('reading')
    .map(({ data }) => JSON.parse(data) as { sensorId: string; value: string })
    .filter((each) => sensorId === undefined || each.sensorId === sensorId)
    .map(({ value }) => value);

/** A stream that stands: whatever is sent from now on, it is told of. */
async function opened(query = '', headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
  const stream = open(query, headers);
  await eventually('the stream stands', () => stream.events.length > 0);
  return stream;
}

describe('/api/events', () => {
  it('tells of the newest values of the sensors that were asked for, and not of what is older', async () => {
    const stream = await opened('?sensors=6,7');
    await send([reading('6', '1.50'), reading('8', '2'), reading('6', '0.1', '1000000000')]);
    await send(reading('7', '3'));
    await eventually('the last value', () => valuesOf(stream).includes('3'));
    expect(valuesOf(stream)).toEqual(['1.50', '3']);
    expect(JSON.parse(stream.of('reading')[0]?.data ?? '')).toMatchObject({
      ...{ sensorId: '6', aspect: 'real_time', unit: 'MW', value: '1.50', topic: bed.config.TOPIC_INGESTION },
    });
    stream.close();
  });

  it('tells of windows as they stand in their topic', async () => {
    const stream = await opened('?kinds=window&sensors=6');
    const window = (revision: number) => ({
      ...{ schema_version: 1, sensor_id: '6', aspect: 'real_time', unit: 'MW', resolution: 'hour' },
      ...{ window_start: '2026-03-01T00:00:00.000Z', state: 'provisional', revision },
      source: { topic: 'T', partition: 0, first_offset: 0, last_offset: revision },
    });
    const values = [window(2), window(1), window(3)].map((each) => ({
      key: '6',
      value: JSON.stringify(each, null, 1),
    }));
    await bed.topics.send(bed.config.TOPIC_AGGREGATES, [
      ...values,
      { key: '6', value: 'no window' },
      { key: '6', value: null },
    ]);
    await send(reading('6', '4'));
    await eventually('the newest revision', () =>
      stream.of('window').some(({ data }) => data === JSON.stringify(window(3))),
    );
    expect(stream.of('window').every(({ data }) => (JSON.parse(data) as { revision: number }).revision !== 1)).toBe(
      true,
    );
    expect(stream.of('reading')).toEqual([]);
    stream.close();
  });

  it('goes on where a client left, with the newest of each alone', async () => {
    const before = await opened('?sensors=21,22');
    await send(reading('21', '1'));
    await eventually('the first value', () => valuesOf(before).length === 1);
    const id = before.lastId;
    before.close();
    const witness = await opened('?sensors=21,22');
    await send([reading('21', '2'), reading('22', '1')]);
    await eventually('they are there', () => valuesOf(witness, '22').length === 1);
    await send([reading('21', '3')]);
    await eventually('the last is there', () => valuesOf(witness).includes('3'));
    const after = await opened('?sensors=21,22', { 'last-event-id': id });
    await eventually('what was missed', () => valuesOf(after).length === 2);
    expect(valuesOf(after, '21')).toEqual(['3']);
    expect(valuesOf(after, '22')).toEqual(['1']);
    after.close();
    witness.close();
  });

  it('says so when what a client missed is not known any more', async () => {
    const early = await opened();
    const id = early.lastId;
    early.close();
    const foreign = await opened('', { 'last-event-id': 'abcdef012345-7' });
    expect(foreign.events[0]?.event).toBe('reset');
    const witness = await opened('?sensors=last');
    for (let part = 1; part <= 3; part++) {
      await send(Array.from({ length: 200 }, (_, index) => reading(`k${part}-${index}`, '1')));
      await eventually('this part is known', async () => {
        await send(reading('last', String(part)));
        return valuesOf(witness).includes(String(part));
      });
    }
    const late = await opened('', { 'last-event-id': id });
    expect(late.events[0]?.event).toBe('reset');
    for (const stream of [foreign, witness, late]) stream.close();
  });

  it('keeps nothing for a client that is slow: it is sent the newest of each when it can take it', async () => {
    const slow = await opened();
    slow.pause();
    const witness = await opened('?sensors=s0');
    const memory = process.memoryUsage().heapUsed;
    const rounds = 50;
    // Long ones: what the system holds for a connection by itself is some megabytes.
    const long = 'x'.repeat(120);
    for (let round = 1; round <= rounds; round++) {
      // Some 300 kB of events a round, of the same sensors again and again.
      await send(
        Array.from({ length: 400 }, (_, index) =>
          reading(`s${index}`, String(round), undefined, `${long}${round}-${index}`.slice(-128)),
        ),
      );
      await eventually('the round is told', () => valuesOf(witness, 's0').includes(String(round)), undefined, 20);
    }
    expect(process.memoryUsage().heapUsed - memory).toBeLessThan(200 * 2 ** 20);
    slow.resume();
    await eventually('the newest of each', () => {
      const newest = new Map(
        slow.of('reading').map(({ data }) => {
          const { sensorId, value } = JSON.parse(data) as { sensorId: string; value: string };
          return [sensorId, value];
        }),
      );
      return newest.get('s0') === String(rounds) && newest.get('s399') === String(rounds);
    });
    // Much was never sent to it, though nothing of it is the newest.
    expect(slow.of('reading').length).toBeLessThan(rounds * 400);
    slow.close();
    witness.close();
  });

  it('takes as many clients as it may, and forgets those that leave', async () => {
    const streams = Array.from({ length: CLIENTS }, () => open('?sensors=crowd'));
    await eventually('all stand', () => streams.filter((stream) => stream.events.length > 0).length === CLIENTS);
    const refused = await bed.ask('/api/events');
    expect(refused).toMatchObject({ status: 429, json: { code: 'too-many-requests' } });
    await send(reading('crowd', '9'));
    await eventually('all are told', () => streams.every((stream) => valuesOf(stream).includes('9')));
    for (const stream of streams) stream.close();
    await eventually('there is room again', async () => {
      const again = open();
      await eventually('an answer', () => again.status !== undefined);
      again.close();
      return again.status === 200;
    });
  });
});
