import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { progressView } from './progress-view.ts';

beforeEach(() => {
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** What is written to a stream. */
function written(isTTY: boolean, use: (view: ReturnType<typeof progressView>) => void): string {
  let text = '';
  const stream = { isTTY, columns: 20, write: (chunk: string) => ((text += chunk), true) };
  use(progressView(stream));
  return text;
}

test('on a terminal what was shown is drawn over, and sentences stay above it', () => {
  const text = written(true, (view) => {
    view.show(['one', 'a line that is too long for it']);
    view.say('hello');
    view.end();
  });
  const up = '\r\u001b[2A';
  const drawn = 'one\u001b[K\na line that is too \u001b[K\n\u001b[J';
  expect(text).toBe(`${drawn}${up}\u001b[Jhello\n${drawn}${up}\u001b[J`);
});

test('elsewhere only the whole is written, and not again while it is the same', () => {
  const text = written(false, (view) => {
    view.show(['one', 'two']);
    view.show(['one', 'two']);
    view.say('hello');
    view.end();
  });
  expect(text).toBe('one\nhello\n');
});
