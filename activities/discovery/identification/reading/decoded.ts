import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import iconv from 'iconv-lite';

interface Decoder {
  write(chunk: Buffer): string;
  end(): string;
}

/** Names that TextDecoder reads faster, or exactly as the norm of the Web does. */
const BY_TEXT_DECODER = new Set([
  'utf-8',
  'utf-16le',
  'utf-16be',
  'shift_jis',
  'euc-jp',
  'gb18030',
  'big5',
  'euc-kr',
  'iso-2022-jp',
]);

/** @param name a decoder of a charset finding; bytes that it does not have become U+FFFD */
export function decoderOf(name: string): Decoder {
  if (!BY_TEXT_DECODER.has(name)) {
    const decoder = iconv.getDecoder(name, { stripBOM: false });
    return { write: (chunk) => decoder.write(chunk), end: () => decoder.end() ?? '' };
  }
  const decoder = new TextDecoder(name, { ignoreBOM: true });
  return { write: (chunk) => decoder.decode(chunk, { stream: true }), end: () => decoder.decode() };
}

const CHUNK_BYTES = 256 << 10;

/** The text of an open file, piece by piece, its line ends made line feeds. Reads at positions, so that it can be read again. */
export function* decodedPieces(descriptor: number, decoderName: string, markBytes: number): Generator<string> {
  const decoder = decoderOf(decoderName);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let endsInReturn = false;
  const withLineFeeds = (text: string): string => {
    if (text === '') return text;
    let from = text;
    if (endsInReturn && from.startsWith('\n')) from = from.slice(1);
    endsInReturn = text.endsWith('\r');
    return from.includes('\r') ? from.replace(/\r\n?/g, '\n') : from;
  };
  for (let at = markBytes; ;) {
    const length = readSync(descriptor, buffer, 0, buffer.length, at);
    if (length === 0) break;
    at += length;
    yield withLineFeeds(decoder.write(buffer.subarray(0, length)));
  }
  yield withLineFeeds(decoder.end());
}

/** A longer line is cut: it is no row and no sentence. */
const LONGEST_LINE = 1 << 20;

/** Cuts a text into lines, as its pieces come. */
export class LineCutter {
  #rest = '';
  readonly #take: (line: string) => void;

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(piece: string): void {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      this.#take(this.#rest + piece.slice(from, end));
      this.#rest = '';
      from = end + 1;
    }
    this.#rest += piece.slice(from);
    if (this.#rest.length > LONGEST_LINE) {
      this.#take(this.#rest);
      this.#rest = '';
    }
  }

  end(): void {
    if (this.#rest !== '') this.#take(this.#rest);
    this.#rest = '';
  }
}

/** A key that is equal for texts that differ only in charset, byte order mark, kind of line ends and a last line end. */
export class ContentKey {
  readonly #hash = createHash('sha256');
  #held = '';

  write(piece: string): void {
    const text = this.#held + piece;
    const body = text.replace(/\n+$/, '');
    // Line ends at the end of a piece wait for what follows.
    if (body === '') {
      this.#held = text.length > LONGEST_LINE ? '' : text;
      if (this.#held === '') this.#hash.update(text);
      return;
    }
    this.#held = text.slice(body.length);
    this.#hash.update(body);
  }

  end(): string {
    return `text-sha256:${this.#hash.digest('hex')}`;
  }
}
