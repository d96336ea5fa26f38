/**
 * Hive's text format for one row: fields separated by TAB, `\N` for NULL, and backslash escapes that LazySimpleSerDe reads
 * with `escape.delim` `\` and `serialization.escape.crlf` true: `\\`, `\n`, `\r`, and for a TAB a backslash before it.
 */

/** Field of a NULL. The text `\N` itself is written `\\N`, so the two never meet. */
export const HIVE_NULL = '\\N';

const SPECIAL = /[\\\n\r\t]/;
const SPECIALS = /[\\\n\r\t]/g;

/** A value as a field. A TAB stays a TAB behind the backslash: Hive reads backslash + `t` as the letter t. */
export function hiveField(value: string | null): string {
  if (value === null) return HIVE_NULL;
  if (!SPECIAL.test(value)) return value;
  return value.replace(SPECIALS, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    return `\\${character}`;
  });
}

/** Values as one row, without the line's end. */
export function hiveRow(values: readonly (string | null)[]): string {
  return values.map(hiveField).join('\t');
}

/** The fields of a row, still escaped. */
export function hiveFields(row: string): string[] {
  if (!row.includes('\\')) return row.split('\t');
  const fields: string[] = [];
  let start = 0;
  for (let at = 0; at < row.length; at++) {
    const character = row.charCodeAt(at);
    if (character === 0x5c) at++;
    else if (character === 0x09) {
      fields.push(row.slice(start, at));
      start = at + 1;
    }
  }
  fields.push(row.slice(start));
  return fields;
}

/** The value of an escaped field: the inverse of {@link hiveField}, as Hive reads it. */
export function hiveValue(field: string): string | null {
  if (field === HIVE_NULL) return null;
  if (!field.includes('\\')) return field;
  return field.replace(/\\([\s\S])/g, (_, character: string) => {
    if (character === 'n') return '\n';
    if (character === 'r') return '\r';
    return character;
  });
}
