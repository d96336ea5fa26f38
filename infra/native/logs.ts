import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

const CHUNK_BYTES = 65_536;
const FOLLOW_INTERVAL_MS = 250;

/** The last lines of a file; nothing when there is no such file. Reads no more of it than it must. */
export function readTail(path: string, lineCount: number): string {
  if (!existsSync(path) || lineCount < 1) return '';
  const sizeBytes = statSync(path).size;
  let start = sizeBytes;
  let text = Buffer.alloc(0);
  while (start > 0 && count(text, 0x0a) <= lineCount) {
    const from = Math.max(0, start - CHUNK_BYTES);
    text = Buffer.concat([readRange(path, from, start), text]);
    start = from;
  }
  return text.toString('utf8').trimEnd().split('\n').slice(-lineCount).join('\n');
}

/** Hands over what is appended to the files from now on, until the process ends; starts over when a file was put aside. */
export function follow(paths: readonly string[], onText: (path: string, text: string) => void): NodeJS.Timeout {
  const offsets = new Map(paths.map((path) => [path, sizeOf(path)]));
  return setInterval(() => {
    for (const path of paths) {
      const size = sizeOf(path);
      const known = offsets.get(path) ?? 0;
      const from = size < known ? 0 : known;
      if (size > from) onText(path, readRange(path, from, size).toString('utf8'));
      offsets.set(path, size);
    }
  }, FOLLOW_INTERVAL_MS);
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function readRange(path: string, from: number, to: number): Buffer {
  const buffer = Buffer.alloc(to - from);
  const file = openSync(path, 'r');
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from));
  } finally {
    closeSync(file);
  }
}

function count(buffer: Buffer, byte: number): number {
  let found = 0;
  for (const value of buffer) if (value === byte) found += 1;
  return found;
}
