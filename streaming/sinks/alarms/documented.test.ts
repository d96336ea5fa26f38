import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ALARM_KINDS, COMMON_FIELDS, fieldsOf } from '../../../grid/alarms/rule.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { createAlarmsMetrics } from './alarms-metrics.ts';
import { readAlarmRules } from './rules-file.ts';

const projectFile = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const page = readFileSync(projectFile('docs/alarms.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const named = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

it('docs/alarms.md has a row for each kind of rule, with its fields, and names those of all', () => {
  const told = rows.filter(([, first = '']) => (ALARM_KINDS as readonly string[]).includes(named(first)[0] ?? ''));
  expect(told.map(([, kind, , , fields]) => [named(kind)[0], named(fields)])).toEqual(
    ALARM_KINDS.map((kind) => [kind, fieldsOf(kind)]),
  );
  for (const field of COMMON_FIELDS) expect(page).toContain(`\`${field}\``);
});

it('docs/alarms.md has a row for each metric', async () => {
  const metrics = createMetrics('test');
  createAlarmsMetrics(metrics, { open: () => [], oldestMs: () => undefined });
  const names = (await metrics.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('powergrid_alarms_'));
  const told = rows.flatMap(([, first = '']) => named(first).map((text) => text.replace(/\{.*/, '')));
  expect(told).toEqual(expect.arrayContaining(names));
});

it('the rules that come with the project are in order', async () => {
  expect((await readAlarmRules(projectFile(loadConfig({}).ALARM_RULES))).all.length).toBeGreaterThan(0);
});

it('a file of rules that is no JSON is refused with a sentence', async () => {
  await expect(readAlarmRules(projectFile('LICENSE'))).rejects.toMatchObject({ code: 'invalid-configuration' });
});
