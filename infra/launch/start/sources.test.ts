import { expect, test } from 'vitest';
import { loadConfig } from '../../../runtime/config.ts';
import { preferredSensorIds, workerEnvironment } from './sources.ts';

const SIMBENCH = { kind: 'ready', directory: '/data/simbench', mappingFile: '/m.json' } as const;

test('a year of SimBench runs at a quarter-hour a second, over and over, from where it stopped', () => {
  const environment = workerEnvironment({}, '/stack', SIMBENCH);
  expect(environment).toEqual({
    HDFS_ROTATE_SECONDS: '10',
    SEGMENT_SECONDS: '30',
    LEGACY_SHARE: '/stack/datasets/share-1',
    FILE_SOURCE_MAPPING: '/m.json',
    FILE_SOURCE_DIRECTORY: '/data/simbench',
    FILE_SOURCE_SPEED: '900',
    FILE_SOURCE_TIMESTAMPS: 'original',
    FILE_SOURCE_LOOP: 'true',
    FILE_SOURCE_STATE_FILE: '/stack/data/simulator/simbench.original.json',
  });
  expect(() => loadConfig({ ...environment })).not.toThrow();
});

test('what the user has set stays as it is, an empty value is none', () => {
  const own = { HDFS_ROTATE_SECONDS: '60', FILE_SOURCE_SPEED: '', LEGACY_SHARE: '/mnt/share' };
  const environment = workerEnvironment(own, '/stack', SIMBENCH);
  expect(environment).not.toHaveProperty('LEGACY_SHARE');
  expect(environment).not.toHaveProperty('HDFS_ROTATE_SECONDS');
  expect(environment['FILE_SOURCE_SPEED']).toBe('900');
});

test("a mapping of the user's own keeps SimBench's settings away from it", () => {
  expect(workerEnvironment({ FILE_SOURCE_MAPPING: '/mine.json' }, '/stack', SIMBENCH)).toEqual({
    HDFS_ROTATE_SECONDS: '10',
    SEGMENT_SECONDS: '30',
    LEGACY_SHARE: '/stack/datasets/share-1',
  });
});

test('shifted time stamps are replayed once, with a position of their own', () => {
  const environment = workerEnvironment({ FILE_SOURCE_TIMESTAMPS: 'shifted' }, '/stack', SIMBENCH);
  expect(environment).toMatchObject({
    FILE_SOURCE_LOOP: 'false',
    FILE_SOURCE_STATE_FILE: '/stack/data/simulator/simbench.shifted.json',
  });
});

test('without SimBench there are simulated sensors only', () => {
  expect(workerEnvironment({}, '/stack', undefined)).toEqual({
    HDFS_ROTATE_SECONDS: '10',
    SEGMENT_SECONDS: '30',
    LEGACY_SHARE: '/stack/datasets/share-1-generated',
  });
});

test('the first simulated sensors are among those that are shown, none when there are none', () => {
  const ids = (sensors: number): string[] =>
    preferredSensorIds({ SIMULATOR_SENSORS: sensors, SIMULATOR_FIRST_SENSOR_ID: 7 });
  expect(ids(100)).toEqual(expect.arrayContaining(['7', '8']));
  expect(ids(1)).not.toContain('8');
  expect(ids(0)).not.toContain('7');
});
