import { GridError } from '../../grid/errors.ts';
import { parseJson, readJsonFile, type ReadingOf } from '../../runtime/json-file.ts';

/**
 * The input of a workflow from the command line.
 *
 * @param text JSON, or `@<file>` to read it from
 * @throws GridError `invalid-input`: with line and column of what is wrong
 */
export async function readJobInput(text: string): Promise<Record<string, unknown>> {
  if (!text.startsWith('@')) {
    const reading = readingOf('--input', `Quote it for the shell: --input '{"tables":["public.readings"]}'.`);
    return oneObject(parseJson(text, reading), reading);
  }
  const path = text.slice(1);
  const reading = readingOf(path, 'Name a file that can be read, with one JSON object in it.');
  return oneObject(await readJsonFile(path, reading), reading);
}

function readingOf(origin: string, advice: string): ReadingOf {
  return { code: 'invalid-input', attempt: `Reading the input (${origin})`, advice };
}

function oneObject(input: unknown, { code, attempt }: ReadingOf): Record<string, unknown> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input };
  throw new GridError(
    code,
    `${attempt}: a workflow takes one JSON object, this is ${kindOf(input)}. {} takes the defaults.`,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
