import { hash } from 'node:crypto';
import { GridError } from '../../../grid/errors.ts';
import { HIVE_NULL, hiveFields } from '../../../grid/history/hive-text.ts';
import type { ImportColumn, TablePlan } from '../../../grid/history/sql-source.ts';
import { CodeUnits, TAB } from './code-units.ts';
import { fieldKind, type FieldKind } from '../plan/types.ts';
import type { WireColumn } from '../session/wire-columns.ts';
import { guidText, type WireRow } from '../session/wire-row.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

/** Characters that are gathered before they are handed on. */
const CHUNK_CHARACTERS = 512 * 1024;
/** Memory for characters that is kept from row to row and chunk to chunk. */
const KEPT_CHARACTERS = 1024 * 1024;
const LINE_FEED = 0x0a;
const COLON = ':';

/** How the values of a kind come. */
const WIRE_KINDS: Readonly<Record<FieldKind, readonly WireColumn['kind'][]>> = {
  integer: ['integer'],
  boolean: ['bit'],
  guid: ['guid'],
  binary: ['bytes'],
  plain: ['characters', 'unicode'],
  text: ['unicode'],
};

/**
 * Makes lines of Hive's text format of rows, and their hashes; gathers the lines into chunks in UTF-8. Values are copied from the
 * reply's memory, without a string or an object of their own.
 */
export class RowLines {
  readonly #plan: TablePlan;
  readonly #kinds: readonly FieldKind[];
  readonly #valuesAt: number;
  readonly #lines = new CodeUnits();
  /** What the hash of the row at hand is of: see `hashedText`. */
  readonly #hashed = new CodeUnits();
  #checked: readonly WireColumn[] | undefined;

  /** @param valuesAt place of the first column's value in rows */
  constructor(plan: TablePlan, valuesAt: number) {
    this.#plan = plan;
    this.#kinds = plan.columns.map(fieldKind);
    this.#valuesAt = valuesAt;
  }

  /**
   * Adds a row.
   *
   * @returns SHA-256 of what its hash is of, a character a byte: Node makes that three times faster than a buffer
   */
  add(row: WireRow): string {
    if (this.#checked !== row.columns) this.#check(row.columns);
    this.#hashed.clear();
    this.#hashed.shrink(KEPT_CHARACTERS);
    for (let at = 0; at < this.#kinds.length; at++) {
      if (at > 0) {
        this.#lines.add(TAB);
        this.#hashed.add(TAB);
      }
      this.#addField(row, at);
    }
    this.#lines.add(LINE_FEED);
    return hash('sha256', this.#hashed.bytes(), 'binary');
  }

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  /** Whether the chunk is to be taken. */
  get full(): boolean {
    return this.#lines.length >= CHUNK_CHARACTERS;
  }

  /**
   * The chunk, which starts anew.
   *
   * @throws GridError `unsupported-column` when a text has half a character, which UTF-8 cannot say
   */
  take(): Buffer {
    const lines = this.#lines;
    if (!lines.isAscii && !lines.toString().isWellFormed()) throw this.#malformed(lines.toString());
    const chunk = lines.toUtf8();
    lines.clear();
    lines.shrink(KEPT_CHARACTERS);
    return chunk;
  }

  #addField(row: WireRow, at: number): void {
    const lines = this.#lines;
    const hashed = this.#hashed;
    const place = this.#valuesAt + at;
    const kind = this.#kinds[at];
    if (row.isNull(place)) {
      lines.addText(HIVE_NULL);
      if (kind === 'text') hashed.addText(COLON);
      return;
    }
    const bytes = row.memoryOf(place);
    const start = row.starts[place] ?? 0;
    const end = row.ends[place] ?? 0;
    const before = lines.length;
    switch (kind) {
      case 'text':
        hashed.addNumber(end - start);
        hashed.addText(COLON);
        hashed.addUnicode(bytes, start, end);
        lines.addEscaped(bytes, start, end);
        return;
      case 'binary':
        hashed.addText('0x');
        hashed.addText(bytes.toString('hex', start, end).toUpperCase());
        lines.addText(bytes.toString('base64', start, end));
        return;
      case 'boolean': {
        const isTrue = bytes[start] !== 0;
        hashed.addText(isTrue ? '1' : '0');
        lines.addText(isTrue ? 'true' : 'false');
        return;
      }
      case 'integer':
        lines.addInteger(bytes, start, end);
        break;
      case 'guid':
        lines.addText(guidText(bytes, start));
        break;
      case 'plain':
        this.#addPlain(row, at, place);
        break;
      case undefined:
        return;
    }
    hashed.addFrom(lines, before);
  }

  #addPlain(row: WireRow, at: number, place: number): void {
    const bytes = row.memoryOf(place);
    const start = row.starts[place] ?? 0;
    const end = row.ends[place] ?? 0;
    if (row.columns[place]?.kind === 'unicode') this.#lines.addUnicode(bytes, start, end);
    else if (!this.#lines.addAscii(bytes, start, end))
      throw this.#unlike(this.#plan.columns[at], 'text that is not ASCII');
  }

  /** What comes is what was asked for. */
  #check(columns: readonly WireColumn[]): void {
    for (const [at, kind] of this.#kinds.entries()) {
      const wire = columns[this.#valuesAt + at]?.kind;
      if (wire === undefined || !WIRE_KINDS[kind].includes(wire)) {
        throw this.#unlike(this.#plan.columns[at], wire ?? 'nothing');
      }
    }
    this.#checked = columns;
  }

  #unlike(column: ImportColumn | undefined, sent: string): GridError {
    const { name, sourceType } = column ?? { name: '?', sourceType: '?' };
    return new GridError(
      'unsupported-server',
      `Reading ${nameOfTable(this.#plan.table)} from SQL Server: for column ${name} ${sourceType} the server sent ${sent}, as SQL Server does not. Leave the column out (onUnsupported "skip" does not help here), or import from a SQL Server.`,
    );
  }

  #malformed(text: string): GridError {
    const line = text.split('\n').find((candidate) => !candidate.isWellFormed()) ?? '';
    const at = hiveFields(line).findIndex((field) => !field.isWellFormed());
    const { name, sourceType } = this.#plan.columns[at] ?? { name: '?', sourceType: '?' };
    const shown = line.toWellFormed().slice(0, 120);
    return new GridError(
      'unsupported-column',
      `Reading ${nameOfTable(this.#plan.table)} from SQL Server: column ${name} ${sourceType} has a text with half a character ` +
        `(an unpaired surrogate), which no UTF-8 file can hold, in the row that begins "${shown}". Correct that value at the source.`,
      { details: { columns: [name] } },
    );
  }
}
