// A child process of isolation/: reads requests, a line of JSON each, from standard input, and answers on descriptor 3.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { examine, type ExaminationRequest } from './examine.ts';

const ANSWERS = 3;

function send(text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(ANSWERS, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      // The parent has to read first.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

send('');
for await (const line of createInterface({ input: process.stdin })) {
  // Its own parent wrote it.
  send(JSON.stringify(await examine(JSON.parse(line) as ExaminationRequest)));
}
