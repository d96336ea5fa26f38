import { GridError } from '../../grid/errors.ts';
import { HIVE_NULL, hiveFields } from '../../grid/history/hive-text.ts';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import { nameOf } from './sql-text.ts';

/** Characters that are gathered before they are handed on. */
const CHUNK_CHARACTERS = 512 * 1024;

/**
 * Gathers rows' texts into chunks of lines in UTF-8, with binary fields in base64, which the server cannot write in a plain way.
 */
export class RowLines {
  readonly #plan: TablePlan;
  readonly #binary: readonly number[];
  #lines: string[] = [];
  #characters = 0;

  constructor(plan: TablePlan) {
    this.#plan = plan;
    this.#binary = plan.columns.flatMap(({ hiveType }, at) => (hiveType === 'BINARY' ? [at] : []));
  }

  /** @returns whether the chunk is full */
  add(rowText: string): boolean {
    const line = this.#binary.length === 0 ? rowText : withBase64(rowText, this.#binary);
    this.#lines.push(line);
    this.#characters += line.length + 1;
    return this.#characters >= CHUNK_CHARACTERS;
  }

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  /**
   * The chunk, which starts anew.
   *
   * @throws GridError `unsupported-column` when a text has half a character, which UTF-8 cannot say
   */
  take(): Buffer {
    const text = `${this.#lines.join('\n')}\n`;
    if (!text.isWellFormed()) throw this.#malformed();
    this.#lines = [];
    this.#characters = 0;
    return Buffer.from(text, 'utf8');
  }

  #malformed(): GridError {
    const line = this.#lines.find((candidate) => !candidate.isWellFormed()) ?? '';
    const at = hiveFields(line).findIndex((field) => !field.isWellFormed());
    const { name, sourceType } = this.#plan.columns[at] ?? { name: '?', sourceType: '?' };
    const shown = line.toWellFormed().slice(0, 120);
    return new GridError(
      'unsupported-column',
      `Reading ${nameOf(this.#plan.table)} from SQL Server: column ${name} ${sourceType} has a text with half a character ` +
        `(an unpaired surrogate), which no UTF-8 file can hold, in the row that begins "${shown}". Correct that value at the source.`,
      { details: { columns: [name] } },
    );
  }
}

/** A row's text with the fields at these places, hexadecimal, in base64. */
export function withBase64(rowText: string, places: readonly number[]): string {
  const fields = hiveFields(rowText);
  for (const at of places) {
    const field = fields[at];
    if (field !== undefined && field !== HIVE_NULL) fields[at] = Buffer.from(field, 'hex').toString('base64');
  }
  return fields.join('\t');
}
