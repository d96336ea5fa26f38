import { expect, it } from 'vitest';
import { decodeDeclared } from './declared-text.ts';

const json = '{"unit": "m³/s", "name": "Müll"}';
const latin1 = Buffer.from(json, 'latin1');
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

it.each<[string, Buffer, string | null, string]>([
  ['UTF-8 by default', Buffer.from(json), null, json],
  ['UTF-8 by default, whatever the type', Buffer.from(json), 'application/json', json],
  ['UTF-8 as declared', Buffer.from(json), 'application/json; charset=UTF-8', json],
  ['a byte order mark', Buffer.from(`\uFEFF${json}`), 'application/json', json],
  ['a byte order mark against what is declared', Buffer.from(`\uFEFF${json}`), 'text/plain; charset=latin1', json],
  ['ISO 8859-1', latin1, 'application/json;charset=iso-8859-1', json],
  ['a charset in quotes and capitals', latin1, 'application/json; version="a;b" ; Charset = "ISO-8859-1"', json],
  [
    'windows-1252 with its own signs',
    Buffer.from([0x80, 0x92, 0xfc, 0x9f, 0x81]),
    'text/plain; charset=windows-1252',
    '€’üŸ\u0081',
  ],
  ['ISO 8859-15', Buffer.from([0xa4]), 'text/plain; charset=iso-8859-15', '€'],
  [
    'UTF-16 with a mark, declared without an order',
    Buffer.from(`\uFEFF${json}`, 'utf16le'),
    'application/json; charset=utf-16',
    json,
  ],
  ['UTF-16 big-endian with a mark, undeclared', utf16be(`\uFEFF${json}`), null, json],
  ['UTF-16 big-endian without a mark', utf16be(json), 'application/json; charset=utf-16be', json],
  ['nothing', Buffer.alloc(0), null, ''],
])('decodes %s', (_what, bytes, contentType, text) => {
  expect(decodeDeclared(bytes, contentType)).toEqual({ ok: true, text });
});

it.each<[string, Buffer, string | null, RegExp]>([
  [
    'Latin-1 that is not declared',
    latin1,
    'application/json',
    /not valid utf-8, which is the rule where none is declared/,
  ],
  ['Latin-1 declared as UTF-8', latin1, 'application/json; charset=utf-8', /not valid utf-8, which it declares/],
  ['half a UTF-16 unit', Buffer.from([0x7b, 0, 0x7d]), 'application/json; charset=utf-16le', /not valid utf-16le/],
  [
    'half a surrogate pair',
    Buffer.from([0xff, 0xfe, 0, 0xd8]),
    null,
    /not valid utf-16le, which its byte order mark says/,
  ],
  [
    'a charset that nobody knows',
    latin1,
    'application/json; charset=constructor',
    /charset "constructor" is not known/,
  ],
  ['UTF-32', latin1, 'application/json; charset=utf-32', /charset "utf-32" is not known/],
])('refuses %s', (_what, bytes, contentType, fault) => {
  expect(decodeDeclared(bytes, contentType)).toEqual({ ok: false, fault: expect.stringMatching(fault) as string });
});
