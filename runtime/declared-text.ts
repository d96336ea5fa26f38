import { TextDecoder } from 'node:util';

/** Text in the encoding in which its sender says that it is, or what is wrong with it. */
export type DecodedText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: string };

/** What bytes 0x80 to 0x9F are in windows-1252 (https://encoding.spec.whatwg.org/#windows-1252); Node 20's own decoder takes them for controls. */
const WINDOWS_1252_UPPER = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const LONGEST_CONTENT_TYPE = 1_000;

/**
 * Decodes the body of a message by a byte order mark if it has one, else by the `charset` of its content type, else as UTF-8. Bytes that are
 * no text of that encoding are a fault: a replacement character would make one name of two.
 *
 * @param contentType the header as it was sent; null or undefined when there was none
 */
export function decodeDeclared(bytes: Buffer, contentType: string | null | undefined): DecodedText {
  const marked = byteOrderMark(bytes);
  const declared = charsetOf(contentType ?? '');
  const label = marked ?? declared ?? 'utf-8';
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(label, { fatal: true });
  } catch {
    return { ok: false, fault: `its charset ${JSON.stringify(label.slice(0, 40))} is not known` };
  }
  if (decoder.encoding === 'windows-1252') return { ok: true, text: decodeWindows1252(bytes) };
  try {
    return { ok: true, text: decoder.decode(bytes) };
  } catch {
    const source =
      marked !== undefined
        ? 'its byte order mark says'
        : declared === undefined
          ? 'is the rule where none is declared'
          : 'it declares';
    return { ok: false, fault: `it is not valid ${decoder.encoding}, which ${source}` };
  }
}

function byteOrderMark(bytes: Buffer): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}

function charsetOf(contentType: string): string | undefined {
  const match = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType.slice(0, LONGEST_CONTENT_TYPE));
  return match?.[1] ?? match?.[2];
}

function decodeWindows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\u0080-\u009f]/g, (character) => WINDOWS_1252_UPPER.charAt(character.charCodeAt(0) - 0x80));
}
