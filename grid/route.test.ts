import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reading } from './reading.ts';
import { parseRoutes } from './route.ts';

const reading = (changes: Partial<Reading> = {}): Reading => ({
  sensorId: '6',
  modality: '421',
  unit: 'MW',
  aspect: 'real_time',
  correlationId: 'c',
  createdAt: '1694902173.122458',
  eventTimeMs: 1_694_902_173_122,
  schemaVersion: 1,
  ...changes,
});

const table = (file: unknown) => parseRoutes(file, 'routes.json');

describe('routes', () => {
  it('send everything by the default when the file names no route', () => {
    const route = table({}).routeOf(reading());
    expect(route).toMatchObject({ name: 'default', matched: false, topic: undefined });
    expect(route.sinks).toEqual({ hdfs: true, redis: true, mongodb: true, windows: true, alarms: true });
    expect(route.hdfsPath(reading())).toBe('dt=2023-09-16');
  });

  it('match by id, range, unit and aspect, the first that matches winning', () => {
    const routes = table({
      routes: [
        { name: 'six', match: { sensorIds: [6, 'L1'] }, topic: 'SENSOR_ID_6' },
        { name: 'predicted volts', match: { units: ['V'], aspects: ['edge_prediction'] }, sinks: { redis: false } },
        { name: 'substation', match: { sensorIdRanges: [[1, 99]] } },
      ],
    });
    const nameOf = (changes: Partial<Reading>): string => routes.routeOf(reading(changes)).name;
    expect(nameOf({ sensorId: '6' })).toBe('six');
    expect(nameOf({ sensorId: 'L1' })).toBe('six');
    expect(nameOf({ sensorId: '7', unit: 'V', aspect: 'edge_prediction' })).toBe('predicted volts');
    expect(nameOf({ sensorId: '7', unit: 'V' })).toBe('substation');
    expect(nameOf({ sensorId: '99' })).toBe('substation');
    expect(nameOf({ sensorId: '100' })).toBe('default');
    expect(nameOf({ sensorId: '6x' })).toBe('default');
    expect(routes.topics).toEqual(['SENSOR_ID_6']);
  });

  it('fill a path template with escaped values', () => {
    const routes = table({
      routes: [
        {
          name: 'all V',
          match: { units: ['V/m'] },
          hdfsPath: 'unit={unit}/sensor_id={sensor_id}/{temporal_aspect}/m={event_month}/y={event_year}',
        },
      ],
    });
    const odd = reading({ unit: 'V/m', sensorId: 'bus:7 #1', eventTimeMs: Date.UTC(1999, 11, 31, 23, 59, 59, 999) });
    expect(routes.routeOf(odd).hdfsPath(odd)).toBe('unit=V%2Fm/sensor_id=bus%3A7 %231/real_time/m=1999-12/y=1999');
  });

  it('never let a sensor id leave its directory', () => {
    const routes = table({ default: { hdfsPath: 'sensor_id={sensor_id}' } });
    for (const sensorId of ['..', '.', '../../x', '/etc']) {
      expect(routes.routeOf(reading({ sensorId })).hdfsPath(reading({ sensorId }))).toMatch(/^sensor_id=[^/]+$/);
    }
  });

  it('give readings whatever they hold a path that HDFS takes and readers see', () => {
    const routes = table({ default: { hdfsPath: 'unit={unit}/{sensor_id}-{unit}/{sensor_id}/dt={event_day}' } });
    const pathOf = (changes: Partial<Reading>): string => routes.routeOf(reading(changes)).hdfsPath(reading(changes));
    expect(pathOf({ sensorId: '_spare1', unit: '' })).toBe(
      'unit=__HIVE_DEFAULT_PARTITION__/%5Fspare1-__HIVE_DEFAULT_PARTITION__/%5Fspare1/dt=2023-09-16',
    );
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(text, text, (sensorId, unit) => {
        const segments = pathOf({ sensorId, unit }).split('/');
        expect(segments).toHaveLength(4);
        for (const segment of segments) {
          expect(segment).toMatch(/^[^._]/);
          expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255);
        }
      }),
    );
  });

  it('give each event day its path, in whatever order days come', () => {
    const route = table({ default: { hdfsPath: 'y={event_year}/dt={event_day}' } }).routeOf(reading());
    const days = [0, 1, 0, 40, 400, 1].map((day) => Date.UTC(2024, 0, 1 + day));
    expect(days.map((eventTimeMs) => route.hdfsPath(reading({ eventTimeMs })))).toEqual([
      'y=2024/dt=2024-01-01',
      'y=2024/dt=2024-01-02',
      'y=2024/dt=2024-01-01',
      'y=2024/dt=2024-02-10',
      'y=2025/dt=2025-02-04',
      'y=2024/dt=2024-01-02',
    ]);
  });

  it.each<[string, unknown]>([
    ['a percent sign that is no escape', { default: { hdfsPath: 'a%{unit}' } }],
    ['more directories than a path can have', { default: { hdfsPath: 'a/'.repeat(16) + 'a' } }],
    ['a longer template than anybody needs', { default: { hdfsPath: 'a'.repeat(1_001) } }],
    ['a route without a match', { routes: [{ name: 'x', match: {} }] }],
    ['an unknown placeholder', { default: { hdfsPath: 'dt={day}' } }],
    ['an absolute path', { default: { hdfsPath: '/dt={event_day}' } }],
    ['a hidden directory', { default: { hdfsPath: '_commits/{event_day}' } }],
    ['an empty segment', { default: { hdfsPath: 'a//b' } }],
    ['an unclosed brace', { default: { hdfsPath: 'dt={event_day' } }],
    ['a reversed range', { routes: [{ name: 'x', match: { sensorIdRanges: [[9, 1]] } }] }],
    ['two routes of one name', { routes: [1, 2].map((id) => ({ name: 'x', match: { sensorIds: [id] } })) }],
    ['a bad topic name', { routes: [{ name: 'x', match: { sensorIds: [1] }, topic: 'a b' }] }],
    ['an unknown member', { rotes: [] }],
    ['no object', 7],
  ])('are refused with %s', (_what, file) => {
    expect(() => table(file)).toThrow(expect.objectContaining({ code: 'invalid-routes' }) as Error);
  });
});
