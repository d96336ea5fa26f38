import { expect, test } from 'vitest';
import { windowUnit } from './window-unit.ts';

test.each(['MW', '', '°C', 'kWh/m²', '%', 'x'.repeat(128), '€'.repeat(128)])('%s stays as it is', (unit) => {
  expect(windowUnit(unit)).toBe(unit);
});

test('what no database can hold is replaced, and what no index can is shortened, each to another text', () => {
  expect(windowUnit('M\0W\ud800')).toBe('M\\u0000W\\ud800');
  const long = [`${'€'.repeat(200)}a`, `${'€'.repeat(200)}b`, `${'€'.repeat(62)}${'🔌'.repeat(200)}`].map(windowUnit);
  expect(new Set(long).size).toBe(3);
  for (const unit of long) {
    expect(unit).toMatch(/^€{62}.…[0-9a-f]{64}$/u);
    expect(unit.isWellFormed()).toBe(true);
    expect(windowUnit(unit)).toBe(unit);
  }
});
