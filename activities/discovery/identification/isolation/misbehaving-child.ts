// For tests: does what the name of a request says.
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

function beginningOf(path: string): string {
  const descriptor = openSync(path, 'r');
  const buffer = Buffer.alloc(7);
  readSync(descriptor, buffer);
  closeSync(descriptor);
  return buffer.toString('utf8');
}

const kept: unknown[] = [];
let files = 0;
writeSync(3, '\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { name, path, workDirectory } = JSON.parse(line) as { name: string; path: string; workDirectory: string };
  files++;
  if (name === 'crash' || (name === 'crash-if-used' && files > 1)) process.abort();
  if (name === 'throw') throw new Error('what it threw');
  if (name === 'heap') for (;;) kept.push(new Array(1_000).fill(files).map(String));
  if (name === 'memory') for (;;) kept.push(Buffer.alloc(16 << 20, 1));
  if (name === 'spin') for (;;) files += 0;
  if (name === 'hang') await pause(2 ** 31 - 1);
  if (name === 'flood') for (;;) writeSync(3, 'x'.repeat(1 << 20));
  if (name === 'disk') for (;;) writeFileSync(`${workDirectory}/big`, Buffer.alloc(1 << 20));
  const detail = name === 'environment' ? JSON.stringify(Object.keys(process.env)) : beginningOf(path);
  const members = name === 'stray' ? [{ name: 'x', path: '/etc/passwd' }] : [];
  const used = { depth: 0, bytes: 0, entries: 0 };
  const answer =
    name === 'nonsense'
      ? { state: 'fine' }
      : { state: 'quarantined', reason: 'unreadable', detail: `${files} ${detail}`, members, used };
  writeSync(3, `${JSON.stringify(answer)}\n`);
}
