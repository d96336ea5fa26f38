import { mkdirSync, readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while this process alone holds the lock file `path`; waits while another live process holds it. A lock left
 * by a process that died is taken over. The lock is a symbolic link that names its holder: made at once or not at all, even on a
 * full disk. `onWait` is called once, with the holder's pid, when it has to wait.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(holderPid: number) => void} [onWait]
 * @returns {Promise<T>}
 */
export async function withLockFile(path, work, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  for (;;) {
    try {
      symlinkSync(`${process.pid} ${startMark(process.pid)}`, path);
      break;
    } catch (error) {
      if (error?.code !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && !isAlive(holder)) {
      takeOver(path, holder);
      continue;
    }
    if (!told && holder !== undefined) {
      told = true;
      onWait?.(holder.pid);
    }
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    if (readHolder(path)?.pid === process.pid) unlinkSync(path);
  }
}

function readHolder(path) {
  try {
    const [pid, mark] = readlinkSync(path).split(' ');
    return Number(pid) > 0 ? { pid: Number(pid), mark: mark ?? '' } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, mark }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error?.code === 'EPERM';
  }
  return mark === startMark(pid);
}

/** Tells a process from a later one with the same pid, where the system says when it started. */
function startMark(pid) {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? ''
    );
  } catch {
    return '';
  }
}

/** Only one of several waiting processes wins the rename; who moved a fresh lock by mistake puts it back. */
function takeOver(path, dead) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    const moved = readHolder(aside);
    if (moved !== undefined && (moved.pid !== dead.pid || moved.mark !== dead.mark)) renameSync(aside, path);
    else unlinkSync(aside);
  } catch {
    // Somebody else was faster: look again.
  }
}
