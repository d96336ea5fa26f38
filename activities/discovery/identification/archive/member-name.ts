import iconv from 'iconv-lite';
import { isUtf8 } from 'node:buffer';
import { detectCharset } from '../charset/detect.ts';
import type { Refusal } from '../identifier.ts';

const LONGEST_NAME = 1_024;

/** A name as it can be shown and stored: what is not printable is escaped. */
export function printable(name: string): string {
  const escaped = name.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\\]/gu, (character) =>
    character === '\\' ? '\\\\' : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
  return escaped.length > LONGEST_NAME ? `${escaped.slice(0, LONGEST_NAME)}…` : escaped;
}

const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Why a name must not be made a path; undefined: it may. */
export function unsafeName(name: string): Refusal | undefined {
  if (/^(?:[\\/]|[A-Za-z]:)/.test(name)) return 'absolute-name';
  const parts = name.split(/[\\/]/);
  if (parts.includes('..') || name.includes('\0')) return 'escape';
  return DEVICES.test(parts.at(-1) ?? '') ? 'device' : undefined;
}

/**
 * The charset of names that say none: one for all names of an archive, found as for any text. Most old packers wrote the code page of DOS.
 */
export function nameDecoder(names: readonly Buffer[]): (name: Buffer) => string {
  const all = Buffer.concat(names.slice(0, 2_000).flatMap((name) => [name, Buffer.from('\n')]));
  if (isUtf8(all)) return (name) => name.toString('utf8');
  const found = detectCharset(all, true);
  const decoder = found.kind === 'text' ? found.decoder : 'cp437';
  return (name) => (isUtf8(name) ? name.toString('utf8') : iconv.decode(name, decoder));
}
