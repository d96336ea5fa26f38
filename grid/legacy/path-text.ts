/**
 * Names of files as text, exact to the byte: UTF-8 as it is, but for what is no UTF-8, control and format characters, line separators and `%`, whose
 * bytes become `%XX`; so does a `!` at the end of a name, since `!/` divides an archive from its member.
 */

const ESCAPED = /[%\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|!$/gu;

/** One name (no `/` in it) as text. */
export function nameText(name: Buffer): string {
  const text = name.toString('utf8');
  if (Buffer.from(text).equals(name)) return text.replace(ESCAPED, percentOf);
  let escaped = '';
  for (let at = 0; at < name.length;) {
    const length = characterLength(name, at);
    if (length === 0) escaped += percentByte(name[at++] ?? 0);
    else escaped += name.toString('utf8', at, (at += length)).replace(/[%\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, percentOf);
  }
  return escaped.replace(/!$/, percentOf);
}

/** The bytes of a name, or of a path of names. */
export function nameBytes(text: string): Buffer {
  if (!text.includes('%')) return Buffer.from(text);
  const parts = text.split(/(%[0-9A-F]{2})/);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  );
}

/** What divides the path of an archive from the name of its member. */
export const MEMBER_MARK = '!/';

/** Bytes of the UTF-8 character that begins at a place; 0: none does. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const piece = bytes.subarray(at, at + length);
  return Buffer.from(piece.toString('utf8')).equals(piece) ? length : 0;
}

function percentOf(character: string): string {
  return [...Buffer.from(character)].map(percentByte).join('');
}

function percentByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
