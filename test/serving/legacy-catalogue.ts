import { MongoClient } from 'mongodb';
import { loadConfig } from '../../runtime/config.ts';
import { NO_FILES } from '../../workflows/discovery/contract.ts';

interface Kept {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** A catalogue of legacy files as discovery leaves it, with two crawls and two files. */
export async function writeLegacyCatalogue(database: string): Promise<void> {
  const mongodb = new MongoClient(loadConfig().MONGODB_URL);
  const db = mongodb.db(database);
  const sha256 = 'ab'.repeat(32);
  const seen = { seenAt: new Date(0), firstSeenAt: new Date(0), crawl: 'c2', size: 1_234 };
  const path = 'file:/mnt/share/readings <b>&".csv';
  for (const [index, crawl] of ['c1', 'c2'].entries()) {
    const startedAt = `2026-03-0${index + 1}T00:00:00.000Z`;
    await db.collection<Kept>('crawls').insertOne({
      ...NO_FILES,
      ...{ _id: `${startedAt} ${crawl}`, crawl, startedAt, root: 'file:/mnt/share', dryRun: false, conserved: true },
      ...{
        discovered: 2,
        bytes: 2_468,
        landed: 1,
        quarantined: 1,
        passedOver: 0,
        excluded: 0,
        unseen: 0,
        durationMs: 900,
      },
      classes: [{ class: 'telemetry', files: 1, bytes: 1_234 }],
      reasons: [{ outcome: 'quarantined', reason: 'budget', files: 1, example: 'file:/mnt/share/bomb.zip!/zeros' }],
      unknowns: [{ extension: '', format: 'text/plain', files: 1, bytes: 3, example: 'file:/mnt/share/x' }],
    });
  }
  await db.collection<Kept>('paths').insertMany([
    { ...seen, _id: 'p1', path, outcome: 'landed', content: sha256, class: 'telemetry', format: 'text/csv' },
    {
      ...seen,
      _id: 'p2',
      path: 'file:/mnt/share/bomb.zip!/zeros',
      outcome: 'quarantined',
      reason: 'budget',
      detail: 'too much',
    },
  ]);
  await db.collection<Kept>('files').insertOne({
    ...{ _id: sha256, status: 'landed', size: 1_234, paths: [path, 'file:/mnt/share/copy.csv'] },
    where: { kind: 'pack', path: '/unorganized/packs/c2-000000.tar', offset: 512 },
    telemetry: '/unorganized/telemetry-rows/c2-000000.tsv',
    verdict: {
      ...{ class: 'telemetry', format: 'text/csv', confidence: 0.93, ruleVersion: '1', warnings: [], facts: {} },
      evidence: [{ detector: 'telemetry', found: 'a column of times', weight: 0.93 }],
    },
  });
  await mongodb.close();
}
