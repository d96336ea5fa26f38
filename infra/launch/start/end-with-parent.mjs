import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a worker before its own script: standard input is a pipe that `npm start` holds open and never writes to. When it
 * closes, however its other end came to its end, the worker stops as if told to by SIGTERM; so no worker outlives a
 * parent that was killed, and none is cut off in the middle of a commit.
 *
 * Plain JavaScript, since a worker's threads load it too, where TypeScript is not understood; there it does nothing.
 */
if (isMainThread) {
  process.stdin.on('error', () => undefined);
  process.stdin.on('end', () => {
    process.kill(process.pid, 'SIGTERM');
  });
  process.stdin.resume();
  // Watching must not keep a worker alive that is done.
  if ('unref' in process.stdin) process.stdin.unref();
}
