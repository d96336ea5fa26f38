import { expect, test } from 'vitest';
import { NO_FILES, type DiscoveryResult } from '../../../../workflows/discovery/contract.ts';
import { legacyNews } from './legacy-text.ts';

const SHARE = '/stack/datasets/share-1';
const RESULT: DiscoveryResult = {
  ...NO_FILES,
  ...{ discovered: 1_234, bytes: 12_000_000, landed: 1_000, duplicate: 200, quarantined: 30, encrypted: 3, failed: 1 },
  ...{ members: 400, unchanged: 0, crawl: 'c', root: `file:${SHARE}`, dryRun: false, conserved: true },
  ...{ passedOver: 3, excluded: 0, unseen: 0, unknowns: [], startedAt: '2026-03-01T02:00:00.000Z', durationMs: 21_000 },
  classes: [
    'telemetry',
    'table',
    'document',
    'archive',
    'image',
    'corrupt',
    'empty',
    'comtrade',
    'unknown',
    'database',
  ].map((name, index) => ({ class: name, files: 100 - index, bytes: 1 })),
  reasons: [
    { outcome: 'quarantined', reason: 'budget', files: 20, example: 'x' },
    { outcome: 'passed-over', reason: 'symbolic-link', files: 3, example: 'y' },
    { outcome: 'quarantined', reason: 'escape', files: 2, example: 'z' },
  ],
  report: { json: '/unorganized/reports/c.json', html: '/unorganized/reports/c.html' },
};

test('tells what was found, what it is, what was set aside, where the report lies, and what to do next', () => {
  expect(legacyNews({ kind: 'done', result: RESULT }, SHARE)?.split('\n')).toEqual([
    'Discovered 1,234 legacy files of a sample share in 0:00:21, 400 of them in archives, 12 MB: 1,000 landed in HDFS, 200 duplicates.',
    '  What they are: telemetry 100, table 99, document 98, archive 97, image 96, corrupt 95, empty 94, comtrade 93, others 183.',
    '  Set aside with a reason: 30 quarantined, 3 encrypted, 1 failed, 3 links and devices (such as budget, escape).',
    '  The report is /unorganized/reports/c.html in HDFS; the share is /stack/datasets/share-1.',
    `  Next: npm run job -- fetchLegacyFile --input '{"file": "/stack/datasets/share-1/Messwerte/Einspeisung/2016/oktober.zip!/2016-10-01.csv", "to": "/tmp/day.csv"}'`,
    `  or send the readings that it found: npm run job -- replayLegacyTelemetry --input '{"query": {"path": "**/Einspeisung/2016/*"}, "dryRun": true}'`,
  ]);
});

test('says so when the figures do not add up', () => {
  const news = legacyNews({ kind: 'done', result: { ...RESULT, conserved: false } }, SHARE);
  expect(news?.split('\n')[0]).toMatch(
    /200 duplicates; these figures do not add up, does another crawl of it run\?\.$/,
  );
});

test('says what to do when it failed, and nothing when nothing was new or it was interrupted', () => {
  expect(legacyNews({ kind: 'failed', message: 'MongoDB is away.' }, SHARE)).toBe(
    'The sample share of legacy files was not discovered: MongoDB is away. Readings stream on; `npm run job -- discoverLegacyFiles` tries again.',
  );
  expect(legacyNews({ kind: 'done', result: { ...RESULT, unchanged: RESULT.discovered } }, SHARE)).toBeUndefined();
  expect(legacyNews({ kind: 'interrupted' }, SHARE)).toBeUndefined();
});
