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

/** What the machine lacks is no fault of the file. */
const LACKS = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EROFS']);

async function answer(line: string): Promise<object> {
  try {
    // Its own parent wrote it.
    return await examine(JSON.parse(line) as ExaminationRequest);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !LACKS.has(code)) throw error;
    return { state: 'failed', code, detail: message };
  }
}

send('');
for await (const line of createInterface({ input: process.stdin })) {
  send(JSON.stringify(await answer(line)));
}
