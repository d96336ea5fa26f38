import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareWorkflowBundle } from '../../connectors/temporal/workflow-bundle.ts';
import type { Logger } from '../../runtime/logger.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The bundle of the tests' own workflows. */
export function testBundle(logger: Logger): Promise<string> {
  return prepareWorkflowBundle({
    workflowsFile: here('workflows/index.ts'),
    sourceDirectories: [here('workflows')],
    otherFiles: [here('../../package-lock.json')],
    cacheDirectory: join(tmpdir(), 'powergrid-test-bundles'),
    logger,
  });
}
