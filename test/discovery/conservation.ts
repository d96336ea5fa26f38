import { expect } from 'vitest';
import type { DiscoveryResult } from '../../workflows/discovery/contract.ts';
import type { DiscoveryBed } from './discovery-bed.ts';

function sumOf({ landed, duplicate, quarantined, encrypted, failed }: DiscoveryResult): number {
  return landed + duplicate + quarantined + encrypted + failed;
}

/** What the report, the catalogue and HDFS say of a crawl must be one. */
export async function expectConserved(bed: DiscoveryBed, result: DiscoveryResult): Promise<void> {
  expect(result).toMatchObject({ conserved: true });
  expect(sumOf(result)).toBe(result.discovered);
  const rows = [...(await bed.rows()).values()].filter(({ crawl }) => crawl === result.crawl);
  const files = rows.filter(({ outcome }) => outcome !== 'passed-over');
  expect(files).toHaveLength(result.discovered);
  for (const outcome of ['landed', 'duplicate', 'quarantined', 'encrypted', 'failed'] as const) {
    expect([outcome, files.filter((row) => row.outcome === outcome).length]).toEqual([outcome, result[outcome]]);
  }
  const landed = await bed.landed();
  for (const { named, hash } of landed) expect(named).toBe(hash);
  const contents = await bed.contents();
  expect(landed.map(({ hash }) => hash).sort()).toEqual(contents.map(({ _id }) => _id).sort());
  expect(contents.filter(({ status }) => status === 'landing')).toEqual([]);
  const known = new Set(contents.map(({ _id }) => _id));
  for (const { path, content } of files)
    if (content !== undefined) expect([path, known.has(content)]).toEqual([path, true]);
}
