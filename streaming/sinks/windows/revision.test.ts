import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMetrics } from '../../../runtime/metrics.ts';
import type { SpeedRow } from '../../../connectors/postgres/serving/speed-statements.ts';
import { revisionRecord } from './revision.ts';
import { createWindowsMetrics } from './windows-metrics.ts';

const page = readFileSync(new URL('../../../docs/windows.md', import.meta.url), 'utf8');

const row: SpeedRow = {
  sensor_id: '6',
  aspect: 'real_time',
  unit: 'MW',
  resolution: 'minute',
  start_ms: Date.parse('2024-03-01T12:00:00Z'),
  segment_first_offset: 812_034,
  reading_count: 2,
  inexact_count: 0,
  unsquared_count: 0,
  value_sum: '1.25',
  value_sum_of_squares: '2.3125',
  value_min: '-0.25',
  value_max: '1.5',
  first_order: '001709294400000000000000000000 9a3f2c34-9f1e-4a53-8a55-0b7d3d9d1f10',
  first_value: '1.5',
  last_order: '001709294459999000000000000000 5c2f7d18-02f5-4f5e-9a60-2f0c9b7d6f11',
  last_value: '-0.25',
  revision: 3,
  is_final: true,
  is_corrected: false,
  change_number: 7,
};
const source = { topic: 'INGESTION', partition: 2 };

test('a revision is written as docs/windows.md shows it', () => {
  const { key, value } = revisionRecord(row, source, 812_987);
  const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  expect(key).toBe('6');
  expect(JSON.parse(String(value))).toEqual(JSON.parse(shown));
});

test.each([
  [false, false, 'provisional'],
  [true, false, 'final'],
  [true, true, 'corrected'],
])('a row that is final %s and corrected %s is %s', (isFinal, isCorrected, state) => {
  const { value } = revisionRecord({ ...row, is_final: isFinal, is_corrected: isCorrected }, source, 0);
  expect(JSON.parse(String(value))).toMatchObject({ state });
  expect(page).toContain(`| \`${state}\``);
});

test('docs/windows.md names every metric of the sink', () => {
  const metrics = createMetrics('test');
  createWindowsMetrics(metrics, () => []);
  const names = metrics.getMetricsAsArray().map(({ name }) => name);
  for (const name of names.filter((each) => each.startsWith('powergrid_'))) expect(page).toContain(`\`${name}`);
});
