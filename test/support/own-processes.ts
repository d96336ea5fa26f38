import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

/** Sees to it that a process which a test started goes with the test's own: when vitest ends that, or is gone itself. */
export function endWithTest(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

for (const event of ['SIGTERM', 'disconnect']) {
  process.once(event, () => {
    for (const child of running) child.kill('SIGKILL');
    // In a test, process.exit() is taken for a mistake.
    process.kill(process.pid, 'SIGKILL');
  });
}
