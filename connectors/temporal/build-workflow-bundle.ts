// tsx build-workflow-bundle.ts <workflows file> <destination>: a process of its own, see workflow-bundle.ts.
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Of the bundler's pages: what is wrong where, without all the places where it looked for a module. */
const COMPLAINT_LINES = 12;

const [workflowsFile = '', destination = ''] = process.argv.slice(2);
let complaint = '';
try {
  const { code } = await bundleWorkflowCode({
    workflowsPath: workflowsFile,
    logger: new DefaultLogger('ERROR', ({ message }) => {
      complaint += message;
    }),
    // Lines of stack traces are mapped back, which needs no copy of the sources in the worker's memory.
    webpackConfigHook: (config) => ({ ...config, devtool: 'inline-nosources-cheap-module-source-map' }),
  });
  await writeFile(destination, code, { flag: 'wx' });
} catch (error) {
  const errors = complaint.slice(Math.max(0, complaint.indexOf('ERROR in'))).split('\n');
  const text = complaint === '' ? String(error) : errors.slice(0, COMPLAINT_LINES).join('\n');
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
