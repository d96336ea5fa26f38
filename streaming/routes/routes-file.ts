import { asGridError } from '../../grid/errors.ts';
import { parseRoutes, type RouteTable } from '../../grid/route.ts';
import { parseJson, readTextFile, type ReadingOf } from '../../runtime/json-file.ts';
import type { Logger } from '../../runtime/logger.ts';

/** The routes in force at this moment. Ask again for each batch: the file may have changed. */
export interface Routes {
  current(): RouteTable;
}

/** {@link Routes} that follow a file. */
export interface RoutesFileWatch extends Routes {
  /** Reads the file at once if it has changed; for tests and signals. */
  reload(): Promise<void>;
  close(): void;
}

export interface RoutesFileOptions {
  readonly path: string;
  readonly reloadEveryMs: number;
  readonly logger: Logger;
  /** Called with each new table before it is in force, for example to create the topics it names. */
  readonly onChange?: (table: RouteTable) => Promise<void>;
}

/**
 * Reads the routes file and follows its changes without a restart. The text is compared, not the time stamp: what
 * editors, ConfigMap mounts and `cp -p` do to time stamps and inodes does not matter. A file that is bad when the process
 * starts stops it; one that turns bad later is reported once, and the last good routes stay in force.
 *
 * @throws GridError `invalid-routes`.
 */
export async function followRoutesFile(options: RoutesFileOptions): Promise<RoutesFileWatch> {
  const reading: ReadingOf = {
    code: 'invalid-routes',
    attempt: `Reading the routes file ${options.path}`,
    advice: 'Correct the file, or set ROUTES_FILE to another.',
  };
  let text = await readTextFile(options.path, reading);
  let table = parseRoutes(parseJson(text, reading), options.path);
  await options.onChange?.(table);
  options.logger.info({ file: options.path, routes: table.routeCount, topics: table.topics }, 'routes in force');

  let lastProblem = '';
  const reload = async (): Promise<void> => {
    try {
      const newText = await readTextFile(options.path, reading);
      if (newText === text) {
        lastProblem = '';
        return;
      }
      const newTable = parseRoutes(parseJson(newText, reading), options.path);
      await options.onChange?.(newTable);
      text = newText;
      table = newTable;
      lastProblem = '';
      options.logger.info({ file: options.path, routes: table.routeCount, topics: table.topics }, 'routes reloaded');
    } catch (error) {
      const known = asGridError(error, `Reloading the routes file ${options.path}`);
      if (known.message !== lastProblem) {
        lastProblem = known.message;
        options.logger.error({ code: known.code }, `${known.message} The routes read before stay in force.`);
      }
    }
  };

  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const schedule = (): void => {
    if (closed) return;
    timer = setTimeout(() => void reload().finally(schedule), options.reloadEveryMs);
    timer.unref();
  };
  schedule();

  return {
    current: () => table,
    reload,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
