import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './ports.ts';
import { describeResults, describeStatus, ProgressDisplay } from './report.ts';
import { SERVER_NAMES, settingsOf } from './settings.ts';
import { bringUpWith, takeDownWith } from './stack.ts';
import { statusOf } from './status.ts';

/**
 * Measures a whole stack of its own, beside any other: cold set-up with downloads, memory when idle, stop, and warm start. The
 * figures in docs/native-stack.md come from `node infra/launch/run.mjs infra/native/measure.ts`.
 */
const IDLE_MS = 30_000;

const home = await mkdtemp(join(tmpdir(), 'powergrid-measure-'));
// PostgreSQL, which refuses root, has to get through.
await chmod(home, 0o755);
const settings = settingsOf({ stackHome: home, installHome: join(home, 'install'), ports: await freePorts() });
const display = new ProgressDisplay();
const stop = (): void => {
  void takeDownWith(settings, SERVER_NAMES, () => undefined).finally(() => process.exit(130));
};
process.once('SIGINT', stop).once('SIGTERM', stop);

try {
  const cold = await timed('cold up, downloads included', () => bringUpWith(settings, SERVER_NAMES, display.show));
  console.log(describeResults(cold));
  await sleep(IDLE_MS);
  console.log(`\nidle for ${IDLE_MS / 1000} s:`);
  console.log(describeStatus(await Promise.all(SERVER_NAMES.map((name) => statusOf(settings, name)))));
  await timed('up of a running stack', () => bringUpWith(settings, SERVER_NAMES, display.show));
  await timed('down', () => takeDownWith(settings, SERVER_NAMES, display.show));
  const warm = await timed('warm up', () => bringUpWith(settings, SERVER_NAMES, display.show));
  console.log(describeResults(warm));
} finally {
  await takeDownWith(settings, SERVER_NAMES, display.show);
  await rm(home, { recursive: true, force: true });
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  display.clear();
  console.log(`\n${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}
