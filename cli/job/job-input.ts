import { parse } from 'lossless-json';
import { readFile } from 'node:fs/promises';
import { GridError } from '../../grid/errors.ts';

/**
 * The input of a workflow from the command line.
 *
 * @param text JSON, or `@<file>` to read it from
 * @throws GridError `invalid-input`: with the position of what is wrong
 */
export async function readJobInput(text: string): Promise<Record<string, unknown>> {
  if (!text.startsWith('@')) return parseJobInput(text, '--input');
  const path = text.slice(1);
  try {
    return parseJobInput(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof GridError) throw error;
    throw new GridError(
      'invalid-input',
      `Reading the input from ${path}: ${String(error)}. Name a file that can be read.`,
      {
        cause: error,
      },
    );
  }
}

/** @param origin where the text comes from, for the message */
export function parseJobInput(text: string, origin: string): Record<string, unknown> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw new GridError(
      'invalid-input',
      `Reading the input (${origin}): it is not JSON: ${explain(text, error)}. Quote it for the shell: --input '{"tables":["public.readings"]}'.`,
      { cause: error },
    );
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new GridError(
      'invalid-input',
      `Reading the input (${origin}): a workflow takes one JSON object, this is ${kindOf(input)}. {} takes the defaults.`,
    );
  }
  return { ...input };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

/** JavaScript's own message names the position only at times; the other parser always does. */
function explain(text: string, error: unknown): string {
  try {
    parse(text);
  } catch (told) {
    const message = told instanceof Error ? told.message : String(told);
    const position = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
    if (!Number.isNaN(position)) {
      const near = text.slice(Math.max(0, position - 10), position + 10);
      return `${message}${near === '' ? '' : ` (near ${JSON.stringify(near)})`}`;
    }
  }
  return error instanceof Error ? error.message : String(error);
}
