import { expect, test } from 'vitest';
import { NO_FILES, type DiscoveryResult } from './contract.ts';
import { discoveryText } from './text.ts';

const result: DiscoveryResult = {
  ...NO_FILES,
  discovered: 1_200,
  bytes: 5_000_000,
  landed: 1_000,
  duplicate: 150,
  quarantined: 40,
  failed: 10,
  members: 300,
  crawl: 'abc',
  root: 'file:/mnt/share',
  dryRun: false,
  conserved: true,
  passedOver: 2,
  excluded: 3,
  unseen: 0,
  classes: [{ class: 'document', files: 900, bytes: 4_000_000 }],
  reasons: [{ outcome: 'quarantined', reason: 'crash', files: 40, example: 'file:/mnt/share/x' }],
  unknowns: [{ extension: '', format: 'application/octet-stream', files: 5, bytes: 10, example: 'file:/mnt/share/y' }],
  report: { json: '/unorganized/reports/abc.json', html: '/unorganized/reports/abc.html' },
  startedAt: '2024-02-29T00:00:00.000Z',
  durationMs: 61_000,
};

test('a result is told with what became of the files, classes, reasons and unknowns', () => {
  expect(discoveryText.result(result)).toEqual({
    title: 'Legacy files of file:/mnt/share',
    headline: '1,200 files, 5.0 MB: 1,000 landed, 150 duplicate, 40 quarantined, 10 failed',
    sentences: [
      'Done in 0:01:01; 300 of them lay in archives, 0 were known and unchanged.',
      '2 links, devices and unreadable directories were passed over.',
      '3 more were left out, as asked for.',
      'The report is /unorganized/reports/abc.html in HDFS.',
    ],
    tables: [
      expect.objectContaining({ rows: [['document', '900', '4.0 MB']] }),
      expect.objectContaining({ rows: [['quarantined', 'crash', '40', 'file:/mnt/share/x']] }),
      expect.objectContaining({ rows: [['(no extension)', 'application/octet-stream', '5', 'file:/mnt/share/y']] }),
    ],
  });
});

test('figures that do not add up are said to', () => {
  const { sentences } = discoveryText.result({ ...result, conserved: false });
  expect(sentences[1]).toContain('do not add up');
});

test('a dry run says what is new, and that nothing was landed', () => {
  expect(discoveryText.result({ ...result, dryRun: true, unseen: 7 }).headline).toBe(
    '1,200 files, 5.0 MB, 7 of them new or changed; nothing was landed',
  );
});

test('progress says what was found and done', () => {
  const progress = {
    root: 'file:/mnt/share',
    phase: 'crawling' as const,
    listed: 500,
    listingIsComplete: false,
    passedOver: 0,
    tally: { ...NO_FILES, discovered: 20, landed: 20, bytes: 1_000 },
    unitsLeft: 3,
    startedMs: 0,
  };
  expect(discoveryText.progress(progress)).toEqual({
    title: 'Legacy files of file:/mnt/share',
    headline: 'crawling: 500 files found so far, 20 done, members of archives included',
    sentences: ['20 landed; 1.0 kB.'],
  });
});
