import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { aspectKey, POSITIONS_KEY, versionKey } from '../../connectors/redis/newest-keys.ts';
import { TEMPORAL_ASPECTS } from '../../grid/reading.ts';
import { SINK_NAMES, SWITCHABLE_SINKS } from '../../grid/sinks.ts';
import { DEAD_LETTER_HEADERS } from './router/dead-letter.ts';

const document = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

/** What stands in backquotes in the first column of the tables of a document. */
const firstColumn = (name: string) =>
  document(name)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));

describe('what documents say of sinks', () => {
  test('routing.md names every header of a dead letter', () => {
    expect(firstColumn('docs/routing.md')).toEqual(expect.arrayContaining(Object.values(DEAD_LETTER_HEADERS)));
  });

  test('serving-stores.md names the keys in Redis', () => {
    const keys = ['6', versionKey('6'), ...TEMPORAL_ASPECTS.map((aspect) => aspectKey('6', aspect)), POSITIONS_KEY];
    const written = keys.map((key) => key.replaceAll('\u0001', '\\x01'));
    expect(firstColumn('docs/serving-stores.md')).toEqual(expect.arrayContaining(written));
  });

  test('architecture.md has a row for each sink, and example.env runs them all', () => {
    expect(firstColumn('docs/architecture.md')).toEqual(expect.arrayContaining([...SINK_NAMES]));
    expect(document('example.env')).toContain(`SPEED_SINKS=${SINK_NAMES.join(',')}`);
    expect(SWITCHABLE_SINKS).toEqual(['hdfs', 'redis', 'mongodb', 'windows', 'alarms']);
  });
});
