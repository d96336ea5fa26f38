import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseMapping } from '../../streaming/sources/file/mapping.ts';
import { SIMBENCH_MAPPING } from './simbench.ts';

test('the mapping of SimBench is valid, in local time, and its futures are predictions', () => {
  const { files } = parseMapping(JSON.parse(readFileSync(SIMBENCH_MAPPING, 'utf8')), SIMBENCH_MAPPING);
  expect(files).toHaveLength(7);
  for (const { path, aspect, time } of files) {
    expect(time).toMatchObject({ timeZone: 'Europe/Berlin', overlap: 'by-order' });
    expect(aspect).toBe(path.startsWith('scenario-0/') ? 'real_time' : 'edge_prediction');
  }
});

test('what is downloaded is pinned by version and hash', () => {
  const text = readFileSync(new URL('simbench.requirements.txt', import.meta.url), 'utf8');
  expect(text).toMatch(/^simbench==\d+\.\d+\.\d+ --hash=sha256:[0-9a-f]{64}$/m);
});
