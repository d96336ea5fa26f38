import { ProgressDisplay } from '../../infra/native/report.ts';
import { settingsFromConfig, sqlServerOf, type ServerName } from '../../infra/native/settings.ts';
import { bringUpWith, takeDownWith } from '../../infra/native/stack.ts';

/** What the tests of the `stack` projects use, beside the server that runs SQL over HDFS. */
const NEEDED: readonly ServerName[] = ['kafka', 'hdfs', 'redis', 'mongodb', 'postgres', 'temporal'];

/**
 * Brings the servers up before the first test of the `stack` projects; each calls it, and the second finds them up. They stay
 * up, so that the next run starts at once; where `CI` is set, those that were started for it are stopped after all tests.
 */
export default function setUp(): Promise<() => Promise<void>> {
  return setUpWith(sqlServerOf(settingsFromConfig()));
}

/** The same, with the server that runs SQL over HDFS for these tests. */
export async function setUpWith(sqlServer: 'hive' | 'spark'): Promise<() => Promise<void>> {
  const settings = settingsFromConfig();
  const display = new ProgressDisplay();
  const results = await bringUpWith(settings, [...NEEDED, sqlServer], display.show);
  display.clear();
  const started = results
    .filter(({ outcome }) => outcome === 'started' || outcome === 'mended')
    .map(({ name }) => name);
  return async () => {
    if (process.env['CI'] !== undefined && started.length > 0) await takeDownWith(settings, started, () => undefined);
  };
}
