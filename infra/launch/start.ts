import colors from 'picocolors';
import { GridError } from '../../grid/errors.ts';
import { loadConfig } from '../../runtime/config.ts';
import { settingsFromConfig } from '../native/settings.ts';
import { withLockFile } from './lock-file.mjs';
import { parseOptions } from './start/options.ts';
import { Session, startLockPath } from './start/session.ts';
import { StopRequest } from './start/stop-request.ts';
import { Screen } from '../../runtime/terminal/screen.ts';

/**
 * `npm start`: brings the servers up, streams readings through the workers, shows how it goes, and stops all of it again.
 * See {@link Session}.
 */
async function main(): Promise<number> {
  const config = loadConfig();
  const options = parseOptions(process.argv.slice(2), config);
  const settings = settingsFromConfig(config);
  const stop = new StopRequest();
  stop.listen();
  const screen = new Screen(process.stdout, () => {
    stop.request({ kind: 'output-closed' });
  });
  process.stderr.on('error', () => undefined);
  return withLockFile(
    startLockPath(settings),
    () => new Session(settings, options, stop, screen).run(),
    (pid) => {
      throw new GridError(
        'already-running',
        `Starting PowerGrid Lambda: it runs already in ${settings.home} (process ${pid}). Look at it there, stop it with Ctrl-C or \`kill ${pid}\`, or give this one another STACK_HOME and other ports.`,
      );
    },
  );
}

try {
  // Ends by `exit`, which also ends the downloads that were under way.
  process.exit(await main());
} catch (error) {
  // Our own errors are sentences for a reader; everything else is a defect, whose stack is needed.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${colors.red(error instanceof GridError ? error.message : text)}\n`);
  process.exit(1);
}
