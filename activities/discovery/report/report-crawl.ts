import type { RowGroup } from '../../../connectors/mongodb/legacy-catalogue.ts';
import {
  NO_FILES,
  OUTCOMES,
  type DiscoveryResult,
  type ReportRequest,
  type Tally,
} from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import { LandingPaths } from '../landing-paths.ts';
import { reportPage } from './report-page.ts';

/** Of more, the most frequent are told: the result must fit into a workflow's history. */
const MOST_GROUPS = 100;
const LONGEST_EXAMPLE = 500;

/** Counts a crawl in the catalogue, and leaves a report of it in HDFS, for programs and for people. */
export async function reportCrawl(
  { hdfs, catalogue, options }: DiscoveryDependencies,
  request: ReportRequest,
): Promise<DiscoveryResult> {
  const { crawl, listed, bytes, unseen, excluded, startedMs, unchanged } = request;
  const { crawlId, root, input } = crawl;
  const base = {
    ...NO_FILES,
    crawl: crawlId,
    root,
    dryRun: input.dryRun,
    conserved: true,
    passedOver: 0,
    excluded,
    unseen,
    classes: [],
    reasons: [],
    unknowns: [],
    startedAt: new Date(startedMs).toISOString(),
  };
  const durationMs = (): number => Math.max(0, Date.now() - startedMs);
  if (input.dryRun) return { ...base, discovered: listed, bytes, durationMs: durationMs() };
  const groups = await catalogue.groups(crawlId);
  const landed = await catalogue.landedBy(crawlId);
  const unknowns = await catalogue.unknowns(crawlId, MOST_GROUPS);
  const tally = tallyOf(groups);
  const paths = new LandingPaths(options.directory);
  const report = { json: paths.report(crawlId, 'json'), html: paths.report(crawlId, 'html') };
  const result: DiscoveryResult = {
    ...base,
    ...tally,
    unchanged,
    conserved:
      OUTCOMES.reduce((sum, outcome) => sum + tally[outcome], 0) === tally.discovered &&
      // Each file that was listed has its row, and each that is said to have landed its content.
      tally.discovered - tally.members === listed &&
      (landed.get('landed') ?? 0) === tally.landed &&
      !landed.has('landing'),
    passedOver: filesIn(groups.filter(({ outcome }) => !isOutcome(outcome))),
    classes: classesOf(groups),
    reasons: reasonsOf(groups),
    unknowns: unknowns.map((group) => ({ ...group, example: group.example.slice(0, LONGEST_EXAMPLE) })),
    report,
    durationMs: durationMs(),
  };
  await hdfs.writeFile(report.json, Buffer.from(JSON.stringify(result, undefined, 2)), { overwrite: true });
  await hdfs.writeFile(report.html, Buffer.from(reportPage(result)), { overwrite: true });
  await catalogue.keepCrawl(crawlId, result.startedAt, result);
  return result;
}

function isOutcome(outcome: string): boolean {
  return OUTCOMES.some((name) => name === outcome);
}

function filesIn(groups: readonly RowGroup[]): number {
  return groups.reduce((sum, { files }) => sum + files, 0);
}

function tallyOf(groups: readonly RowGroup[]): Tally {
  const files = groups.filter(({ outcome }) => isOutcome(outcome));
  const of = (outcome: string): number => filesIn(files.filter((group) => group.outcome === outcome));
  return {
    ...NO_FILES,
    discovered: filesIn(files),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    members: filesIn(files.filter(({ isMember }) => isMember)),
    landed: of('landed'),
    duplicate: of('duplicate'),
    quarantined: of('quarantined'),
    encrypted: of('encrypted'),
    failed: of('failed'),
  };
}

function classesOf(groups: readonly RowGroup[]): DiscoveryResult['classes'] {
  const classes = new Map<string, { class: string; files: number; bytes: number }>();
  for (const { class: name, files, bytes } of groups) {
    if (name === undefined) continue;
    const sum = classes.get(name) ?? { class: name, files: 0, bytes: 0 };
    classes.set(name, { class: name, files: sum.files + files, bytes: sum.bytes + bytes });
  }
  return [...classes.values()].sort((one, other) => other.files - one.files).slice(0, MOST_GROUPS);
}

function reasonsOf(groups: readonly RowGroup[]): DiscoveryResult['reasons'] {
  const reasons = new Map<string, DiscoveryResult['reasons'][number]>();
  for (const { outcome, reason, files, example } of groups) {
    if (reason === undefined) continue;
    const key = `${outcome} ${reason}`;
    const before = reasons.get(key)?.files ?? 0;
    reasons.set(key, { outcome, reason, files: before + files, example: example.slice(0, LONGEST_EXAMPLE) });
  }
  return [...reasons.values()].sort((one, other) => other.files - one.files).slice(0, MOST_GROUPS);
}
