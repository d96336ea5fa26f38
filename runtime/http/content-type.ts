import { isAscii } from 'node:buffer';
import { GridError } from '../../grid/errors.ts';

/** What a Content-Type says, in lower case; both empty when it does not. */
export interface ContentType {
  readonly mediaType: string;
  readonly charset: string;
}

const UTF8: ReadonlySet<string> = new Set(['', 'utf-8', 'utf8', 'us-ascii']);

export function contentTypeOf(header: string | undefined): ContentType {
  const [mediaType = '', ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length) ?? '';
  return { mediaType, charset: charset.replaceAll('"', '').trim() };
}

/**
 * Only UTF-8 is read. Some clients declare ISO-8859-1 without ever sending more than ASCII, which is the same in all but the
 * wider encodings of Unicode.
 *
 * @throws GridError `unsupported-media-type` for another charset.
 */
export function checkCharset({ charset }: ContentType, body: Buffer): void {
  if (UTF8.has(charset) || (!charset.startsWith('utf') && isAscii(body))) return;
  throw new GridError(
    'unsupported-media-type',
    `Reading the body: charset ${JSON.stringify(charset.slice(0, 80))} is not read. Send UTF-8.`,
  );
}

/** Windows tools put U+FEFF before UTF-8 text; it belongs to no record. */
export function withoutByteOrderMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}
