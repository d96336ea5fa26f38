import { readTail } from '../../../native/logs.ts';

const KEPT_LINES = 60;
const SHOWN_LINES = 6;
/** pino's level of errors; fatal ones are above. */
const ERROR_LEVEL = 50;

/** The line that stands in a worker's log before everything that it writes in one run. */
export function runMark(name: string): string {
  return `${JSON.stringify({ level: 30, time: new Date().toISOString(), name, msg: `npm start starts the ${name} worker` })}\n`;
}

/**
 * What a worker said last in the run that began with `mark`: the sentence of its last error, else its last lines; empty
 * when it said nothing.
 */
export function lastWords(logPath: string, mark: string): string {
  return wordsIn(readTail(logPath, KEPT_LINES), mark);
}

/** {@link lastWords}, of a log's text. */
export function wordsIn(log: string, mark: string): string {
  const begin = log.lastIndexOf(mark.trimEnd());
  const lines = (begin < 0 ? log : log.slice(begin + mark.trimEnd().length))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readLine);
  const lastError = lines.findLast(({ level }) => level >= ERROR_LEVEL);
  if (lastError !== undefined) return lastError.text;
  if (lines.length === 0) return '';
  const last = lines.slice(-SHOWN_LINES).map(({ text }) => `  ${text}`);
  return `Its last lines:\n${last.join('\n')}`;
}

/** A line of pino's, or whatever else stands there. */
function readLine(line: string): { level: number; text: string } {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null && 'level' in entry && 'msg' in entry) {
      if (typeof entry.level === 'number' && typeof entry.msg === 'string')
        return { level: entry.level, text: entry.msg };
    }
  } catch {
    // A stack trace, for example.
  }
  return { level: 0, text: line };
}
