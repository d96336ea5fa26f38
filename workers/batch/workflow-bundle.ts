import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareWorkflowBundle } from '../../connectors/temporal/workflow-bundle.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Path of the bundle of all workflows of the project; built when it is not in the cache. For workers, tests and benchmarks. */
export function projectWorkflowBundle(config: Pick<Config, 'STACK_HOME'>, logger: Logger): Promise<string> {
  return prepareWorkflowBundle({
    workflowsFile: project('workflows/index.ts'),
    sourceDirectories: [project('workflows'), project('grid')],
    // What npm has installed; the second where only that is there.
    otherFiles: [project('package-lock.json'), project('node_modules/.package-lock.json')],
    cacheDirectory: resolve(project('.'), config.STACK_HOME, 'run'),
    logger,
  });
}
