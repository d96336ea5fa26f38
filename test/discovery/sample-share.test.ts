import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { provideShare } from '../../infra/datasets/share/share.ts';
import { discoverSampleShare } from '../../infra/launch/start/legacy/first-discovery.ts';
import { legacyNews } from '../../infra/launch/start/view/legacy-text.ts';
import { PROJECT_DIRECTORY } from '../../infra/native/settings.ts';
import { StoredDocuments } from '../../connectors/mongodb/stored-documents.ts';
import { loadConfig } from '../../runtime/config.ts';
import { legacyRoutes } from '../../serving/api/routes/legacy.ts';
import { DiscoveryBed } from './discovery-bed.ts';

const bed = new DiscoveryBed();
afterAll(() => bed.close());

const SHARE = {
  directory: bed.share,
  simbenchDirectory: undefined,
  packages: join(PROJECT_DIRECTORY, 'node_modules'),
  software: join(bed.share, 'no-such-directory'),
};

/** What a file of the share is to be taken for, and what becomes of members of archives. */
const VERDICTS: Readonly<Record<string, readonly [outcome: string, classOrReason: string]>> = {
  'Messwerte/Einspeisung/2016/einspeisung_01.csv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/generation-2016-02.csv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/MAERZ.ASC': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/April (Excel).txt': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/export_05.psv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/historian_06.csv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/einspeisung_08.csv.gz!/einspeisung_08.csv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/sept export.csv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/oktober.zip!/2016-10-01.csv': ['landed', 'telemetry'],
  'Messwerte/Einspeisung/2016/Jahresabschluss.zip!/dezember.zip!/dezember.csv': ['landed', 'telemetry'],
  'Schutz/Stoerschriebe/1999/F1051': ['landed', 'comtrade'],
  'Schutz/Stoerschriebe/2013/F1187.cff': ['landed', 'comtrade'],
  'Verschiedenes/Messwerte.csv': ['landed', 'image'],
  'Verschiedenes/rechnung.doc': ['landed', 'table'],
  'Verschiedenes/halb.png': ['landed', 'corrupt'],
  'Verschiedenes/abgebrochen.zip': ['landed', 'corrupt'],
  'Verschiedenes/vertraulich.zip': ['encrypted', 'encrypted'],
  'Verschiedenes/platzhalter.zip!/zeros.dat': ['quarantined', 'budget'],
  'Verschiedenes/viele.gz!/viele': ['quarantined', 'budget'],
  'Verschiedenes/ausbruch.zip!/../../../etc/cron.d/job': ['quarantined', 'escape'],
  'Verschiedenes/ueberlappend.zip!/zwei.txt': ['quarantined', 'overlap'],
  'Verschiedenes/pruefsumme.zip!/falsch.txt': ['quarantined', 'crc'],
  'Verschiedenes/im kreis': ['passed-over', 'symbolic-link'],
};

test('the sample share is made once, and discovered as npm start does it', async () => {
  bed.startWorker();
  const told: string[] = [];
  const discover = () =>
    discoverSampleShare(
      loadConfig({ ...process.env, ...bed.environment }),
      SHARE,
      (text) => told.push(text),
      new AbortController().signal,
      `discovery-test-${randomUUID()}`,
    );
  const end = await discover();
  if (end.kind !== 'done') throw new Error(JSON.stringify(end));
  expect(end.result).toMatchObject({ conserved: true, failed: 0, passedOver: 3 });
  expect(end.result.discovered).toBeGreaterThan(400);
  expect(end.result.duplicate).toBeGreaterThan(40);
  expect(told[0]).toBe('making a sample share');
  expect(legacyNews(end, SHARE.directory)).toContain(`${end.result.landed} landed in HDFS`);

  const rows = await bed.rows();
  const verdicts = new Map((await bed.contents()).map(({ _id, verdict }) => [_id, verdict?.class]));
  const found = Object.keys(VERDICTS).map((path) => {
    const { outcome, reason, content = '' } = rows.get(path) ?? {};
    // Of two copies it is open which is found first.
    return [path, [outcome === 'duplicate' ? 'landed' : outcome, reason ?? verdicts.get(content)]];
  });
  expect(Object.fromEntries(found)).toEqual(VERDICTS);
  // As deep as archives may lie in each other, and no deeper.
  const innermost = [...rows.values()].filter(({ path }) => path.includes('/matrjoschka.zip!/'));
  expect(innermost).toHaveLength(11);
  expect(innermost.filter(({ reason }) => reason === 'budget')).toHaveLength(1);

  // As the dashboard asks for it.
  const documents = new StoredDocuments({
    ...{ url: loadConfig().MONGODB_URL, selectionTimeoutMs: 60_000, timeoutMs: 60_000, applicationName: 'test' },
  });
  const asked = async (index: number, query: Readonly<Record<string, string>>): Promise<unknown> => {
    const route = legacyRoutes({ documents }, bed.environment['MONGODB_LEGACY_DATABASE'] ?? '')[index];
    const request = { params: {}, body: undefined, query: route?.query.parse(query) };
    const answer = await route?.answerTo(request as never);
    return route?.answer.parse(answer?.kind === 'value' ? answer.value : undefined);
  };
  expect(await asked(0, {})).toEqual({ crawls: [end.result], next: null });
  const tables = (await asked(1, { class: 'telemetry', limit: '5' })) as { files: object[]; next: string };
  expect(tables.files).toHaveLength(5);
  expect(tables.files[0]).toMatchObject({ class: 'telemetry', content: { verdict: { class: 'telemetry' } } });
  const following = (await asked(1, { class: 'telemetry', cursor: tables.next, limit: '200' })) as typeof tables;
  const telemetry = end.result.classes.find((one) => one.class === 'telemetry')?.files ?? 0;
  expect(new Set([...tables.files, ...following.files].map((file) => JSON.stringify(file))).size).toBe(telemetry);
  expect(await asked(1, { outcome: 'quarantined', reason: 'escape' })).toMatchObject({ files: [{ content: null }] });
  await documents.close();

  // What people put into it stays, and is all that the next start has to tell.
  expect(await provideShare({ ...SHARE, signal: new AbortController().signal })).toBe('present');
  const again = await discover();
  if (again.kind !== 'done') throw new Error(JSON.stringify(again));
  expect(again.result.unchanged).toBe(end.result.discovered);
  expect(legacyNews(again, SHARE.directory)).toBeUndefined();
  await appendFile(join(SHARE.directory, 'mine.txt'), 'A note of my own, which says something.\n');
  const more = await discover();
  expect(more).toMatchObject({ result: { discovered: end.result.discovered + 1, landed: 1 } });
});
