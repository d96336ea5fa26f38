import { describe, expect, it } from 'vitest';
import {
  LATE as SERVED_LATE,
  STALE as SERVED_STALE,
  cadenceMs as servedCadence,
  staleness as servedStaleness,
} from './merge/cadence.ts';
import { addressOf, hashOf } from './dashboard/lib/address.js';
import { EventStreamParser } from './dashboard/lib/event-stream-parser.js';
import { age, bytes, duration, figure, NARROW, whole } from './dashboard/lib/format.js';
import { columnsOf, resolutionFor, seamOf, stretches, windowsOf } from './dashboard/lib/series.js';
import { cadenceMs, LATE, STALE, staleness } from './dashboard/lib/staleness.js';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 1, 12);

function windows(...some: readonly [minute: number, part: string, state: string, mean?: string][]) {
  return windowsOf(
    some.map(([minute, part, state, mean = '5']) => ({
      start: new Date(START_MS + minute * MINUTE_MS).toISOString(),
      end: new Date(START_MS + (minute + 1) * MINUTE_MS).toISOString(),
      ...{
        unit: 'MW',
        part,
        state,
        mean,
        min: '1',
        max: '9',
        count: 6,
        speedCount: part === 'batch' ? 0 : 2,
        energy: null,
      },
    })),
  );
}

const TIME = { fromMs: START_MS, toMs: START_MS + 6 * MINUTE_MS, lengthMs: MINUTE_MS };

describe('columns of a chart', () => {
  it('leave a gap where there is no window, and dash what is provisional from the last settled mean on', () => {
    const columns = columnsOf(
      windows(
        [0, 'batch', 'final', '1'],
        [1, 'both', 'corrected', '2'],
        [2, 'speed', 'provisional', '3'],
        [5, 'speed', 'provisional', '4'],
      ),
      windows([4, 'speed', 'final', '7']),
      TIME,
    );
    expect(columns.x.map((x) => x * 1_000 - START_MS)).toEqual([0, 1, 2, 3, 4, 5].map((at) => (at + 0.5) * MINUTE_MS));
    expect(columns.settled).toEqual([1, 2, null, null, null, null]);
    expect(columns.provisional).toEqual([null, 2, 3, null, null, 4]);
    expect(columns.forecast).toEqual([null, null, null, null, 7, null]);
    expect(columns.count).toEqual([6, 6, 6, null, null, 6]);
    expect(columns.batchCount).toEqual([6, 4, 4, null, null, 4]);
  });

  it('leave out windows of another time', () => {
    expect(columnsOf(windows([-1, 'batch', 'final'], [6, 'batch', 'final']), [], TIME).count).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  it('show the seam where the speed layer takes over, within a window of both too', () => {
    expect(seamOf(windows([0, 'batch', 'final'], [1, 'batch', 'final'], [2, 'speed', 'final']))).toBe(
      (START_MS + 2 * MINUTE_MS) / 1_000,
    );
    expect(seamOf(windows([0, 'both', 'final'], [1, 'speed', 'final']))).toBe((START_MS + MINUTE_MS / 2) / 1_000);
    expect(seamOf(windows([0, 'speed', 'final']))).toBeUndefined();
    expect(seamOf(windows([0, 'batch', 'final']))).toBeUndefined();
  });

  it('join what is alike and side by side', () => {
    const found = stretches(
      windows([0, 'batch', 'final'], [1, 'batch', 'final'], [3, 'batch', 'final'], [4, 'speed', 'final']),
      ({ part }) => part,
    );
    expect(
      found.map(({ kind, from, to }) => [
        kind,
        (from * 1_000 - START_MS) / MINUTE_MS,
        (to * 1_000 - START_MS) / MINUTE_MS,
      ]),
    ).toEqual([
      ['batch', 0, 2],
      ['batch', 3, 4],
      ['speed', 4, 5],
    ]);
  });

  it('take the finest windows that a screen can show', () => {
    expect([1, 24, 26, 24 * 60, 24 * 365].map((hours) => resolutionFor(hours * 60 * MINUTE_MS))).toEqual([
      'minute',
      'minute',
      'hour',
      'hour',
      'day',
    ]);
  });
});

describe('staleness on the page', () => {
  it('is that of the API', () => {
    expect([LATE, STALE]).toEqual([SERVED_LATE, SERVED_STALE]);
    const some = [0, 60_000, 120_000, 600_000, 660_000].map((startMs, at) => ({ startMs, count: at + 1 }));
    expect(cadenceMs(some)).toBe(servedCadence(some));
    for (const ageMs of [0, 4_999, 5_001, 9_999, 10_001, 30_000, 30_001, 100_000, 100_001]) {
      for (const cadence of [undefined, 100, 10_000])
        expect(staleness(ageMs, cadence)).toBe(servedStaleness(ageMs, cadence).state);
    }
  });
});

describe('a stream of events', () => {
  it('is understood however it was cut', () => {
    const text =
      'retry: 2000\n\nid: a-1\nevent: reading\ndata: {"a":1}\n\n: nothing\n\nid: a-2\r\nevent: reset\r\ndata: {}\r\n\r\n';
    const expected = [
      { kind: 'reading', data: '{"a":1}' },
      { kind: 'reset', data: '{}' },
    ];
    for (let size = 1; size <= text.length; size++) {
      const parser = new EventStreamParser();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...parser.take(text.slice(at, at + size)));
      expect(events).toEqual(expected);
      expect(parser.lastId).toBe('a-2');
    }
  });

  it('without an end is given up', () => {
    const parser = new EventStreamParser();
    expect(() => parser.take('x'.repeat(2 << 20))).toThrow('without an end');
  });
});

describe('addresses of the dashboard', () => {
  it.each(['6', 'a/b?c#d&e=%', 'ü <b>', '..', '%zz'])('lead back to sensor %s', (subject) => {
    const { page, subject: found, settings } = addressOf(hashOf('sensor', subject, { range: '24h', unit: '%', q: '' }));
    expect([page, found, Object.fromEntries(settings)]).toEqual(['sensor', subject, { range: '24h', unit: '%' }]);
  });

  it('are never too bad to be read', () => {
    for (const hash of ['', '#', '#/', '#/sensor/%zz?%&==', '#////']) expect(addressOf(hash).page).toBeTypeOf('string');
  });
});

describe('figures for people', () => {
  it.each([
    ['0', '0'],
    ['421.50', '421.50'],
    ['-1234567.891', `−1${NARROW}234${NARROW}568`],
    ['0.12345', '0.1235'],
    ['1e300', '1.00·10^300'],
    ['none', 'none'],
    [null, '–'],
  ])('%s is %s', (given, expected) => {
    expect(figure(given)).toBe(expected);
  });

  it('tell time in its two largest units', () => {
    expect(
      [850, 9_500, 61_000, 3_660_000, 90_000_000, -5_000].map((ms) => duration(ms).replaceAll(NARROW, '')),
    ).toEqual(['850ms', '9.5s', '1min 1s', '1h 1min', '1d 1h', '−5.0s']);
    expect([300, 59_999, 60_000].map((ms) => age(ms).replaceAll(NARROW, ''))).toEqual(['<1s', '59s', '1min']);
    expect([bytes(12), bytes(3 << 20), whole(1_234_567)].map((text) => text.replaceAll(NARROW, ' '))).toEqual([
      '12 B',
      '3.0 MiB',
      '1 234 567',
    ]);
  });
});
