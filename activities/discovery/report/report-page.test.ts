import { expect, test } from 'vitest';
import { NO_FILES } from '../../../workflows/discovery/contract.ts';
import { reportPage } from './report-page.ts';

test('names of files cannot become part of the page', () => {
  const page = reportPage({
    ...NO_FILES,
    crawl: 'abc',
    root: 'file:/mnt/<script>alert(1)</script>',
    dryRun: false,
    conserved: true,
    passedOver: 0,
    excluded: 0,
    unseen: 0,
    classes: [],
    reasons: [{ outcome: 'failed', reason: 'vanished', files: 1, example: `<img src="x" onerror='y'>&` }],
    unknowns: [],
    startedAt: '2024-02-29T00:00:00.000Z',
    durationMs: 0,
  });
  expect(page).not.toMatch(/<script|<img/);
  expect(page).toContain('&lt;img src=&quot;x&quot; onerror=&#39;y&#39;&gt;&amp;');
});
