import { bytesText, countText, durationText, plural, shown } from '../../../../grid/figures.ts';
import type { DiscoveryResult } from '../../../../workflows/discovery/contract.ts';
import type { FirstDiscoveryEnd } from '../legacy/first-discovery.ts';

const LONGEST_LINE = 700;
const MOST_CLASSES = 8;
const MOST_REASONS = 4;

/** What is to be said once of the legacy files; undefined for nothing. */
export function legacyNews(end: FirstDiscoveryEnd, share: string): string | undefined {
  switch (end.kind) {
    case 'interrupted':
      return undefined;
    case 'failed':
      return `The sample share of legacy files was not discovered: ${shown(end.message, LONGEST_LINE)} Readings stream on; \`npm run job -- discoverLegacyFiles\` tries again.`;
    case 'done':
      return end.result.unchanged === end.result.discovered ? undefined : resultText(end.result, share);
  }
}

function resultText(result: DiscoveryResult, share: string): string {
  const { discovered, members, bytes, landed, duplicate, durationMs, report, conserved } = result;
  return [
    `Discovered ${plural(discovered, 'legacy file')} of a sample share in ${durationText(durationMs)}, ${countText(members)} of them in archives, ${bytesText(bytes)}: ${countText(landed)} landed in HDFS, ${countText(duplicate)} duplicates${conserved ? '' : '; these figures do not add up, does another crawl of it run?'}.`,
    `  What they are: ${classesText(result)}.`,
    ...(asideText(result) === '' ? [] : [`  Set aside with a reason: ${asideText(result)}.`]),
    ...(report === undefined ? [] : [`  The report is ${report.html} in HDFS; the share is ${share}.`]),
    `  Next: npm run job -- fetchLegacyFile --input '{"file": "${share}/Messwerte/Einspeisung/2016/oktober.zip!/2016-10-01.csv", "to": "/tmp/day.csv"}'`,
    `  or send the readings that it found: npm run job -- replayLegacyTelemetry --input '{"query": {"path": "**/Einspeisung/2016/*"}, "dryRun": true}'`,
  ].join('\n');
}

function classesText({ classes }: DiscoveryResult): string {
  const named = classes.slice(0, MOST_CLASSES).map((one) => `${one.class} ${countText(one.files)}`);
  const rest = classes.slice(MOST_CLASSES).reduce((sum, { files }) => sum + files, 0);
  return [...named, ...(rest === 0 ? [] : [`others ${countText(rest)}`])].join(', ');
}

function asideText({ quarantined, encrypted, failed, passedOver, reasons }: DiscoveryResult): string {
  const counts = [
    [quarantined, 'quarantined'],
    [encrypted, 'encrypted'],
    [failed, 'failed'],
    [passedOver, 'links and devices'],
  ] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, what]) => `${countText(count)} ${what}`);
  const why = reasons
    .filter(({ outcome }) => outcome === 'quarantined' || outcome === 'failed')
    .slice(0, MOST_REASONS)
    .map(({ reason }) => reason);
  return `${told.join(', ')}${why.length === 0 ? '' : ` (such as ${why.join(', ')})`}`;
}
