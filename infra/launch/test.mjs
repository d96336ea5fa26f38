// npm test: makes sure that the dependencies are there, runs all tests (the stack project's set-up brings the servers up)
// and closes with the line `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, projectDirectory } from './prepare.mjs';

await prepare();
const directory = mkdtempSync(join(tmpdir(), 'powergrid-test-'));
const report = join(directory, 'report.json');
const child = spawn(
  process.execPath,
  [
    join(projectDirectory, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: projectDirectory, stdio: 'inherit' },
);
// A terminal's Ctrl-C reaches vitest by itself; a SIGTERM sent to this process alone has to be passed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
const exitCode = await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));

const counts = readCounts();
rmSync(directory, { recursive: true, force: true });
// A file that could not be loaded has no failed test, yet is a failure.
if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
if (counts.passed + counts.failed === 0) console.error('No test ran.');
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

function readCounts() {
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    const brokenFiles = result.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + brokenFiles.length,
      skipped: result.numPendingTests + (result.numTodoTests ?? 0),
    };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
