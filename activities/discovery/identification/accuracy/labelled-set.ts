import iconv from 'iconv-lite';
import type { LegacyClass } from '../../../../grid/legacy/verdict.ts';
import { comtradeFiles } from './comtrade-set.ts';
import { plainTables, telemetryTables } from './tables.ts';
import { binaries, texts } from './texts.ts';

/** A file without a name, of which it is known what it is. */
export interface Labelled {
  readonly label: LegacyClass;
  readonly bytes: Buffer;
  /** Of tables. */
  readonly delimiter?: string;
}

export function labelledSet(): readonly Labelled[] {
  return [...telemetryTables(120, 1), ...plainTables(80, 2), ...comtradeFiles(80, 3), ...texts(160, 4), ...binaries(5)];
}

export interface Encoded {
  readonly text: string;
  readonly charset: string;
  readonly bytes: Buffer;
}

/** Languages with the charsets that their countries wrote in. */
const CHARSETS: readonly (readonly [string, readonly string[]])[] = [
  ['de', ['windows1252', 'iso885915', 'cp850', 'macintosh']],
  ['fr', ['windows1252', 'cp850', 'macintosh']],
  ['es', ['iso88591', 'cp850']],
  ['sv', ['windows1252', 'cp865']],
  ['pl', ['windows1250', 'iso88592', 'cp852']],
  ['cs', ['windows1250', 'iso88592', 'cp852', 'maccenteuro']],
  ['hu', ['windows1250', 'iso88592']],
  ['tr', ['windows1254', 'iso88599', 'cp857']],
  ['lt', ['windows1257', 'cp775']],
  ['ru', ['windows1251', 'koi8r', 'cp866', 'iso88595', 'maccyrillic']],
  ['uk', ['windows1251', 'koi8u']],
  ['el', ['windows1253', 'iso88597', 'cp737']],
  ['he', ['windows1255']],
  ['ar', ['windows1256']],
  ['th', ['windows874']],
  ['ja', ['shift_jis', 'euc-jp']],
  ['zh-CN', ['gb18030']],
  ['zh-TW', ['big5']],
  ['ko', ['euc-kr']],
];
const UNICODE = ['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'] as const;
const REGIONS =
  'DE FR GB US ES IT PL RU UA CN JP KR GR IL SA EG TR SE NO DK FI IS PT BR CZ SK HU RO BG HR RS SI LT LV EE NL BE CH AT IE TH VN IN CA MX AR CL'.split(
    ' ',
  );
const LANGUAGES = 'de fr en es it pl ru uk zh ja ko el he ar tr sv da fi is pt cs sk hu ro bg hr sr lt lv et'.split(
  ' ',
);

/**
 * Texts whose words come from the tables of the Unicode consortium that the runtime carries, so that nobody chose them for the detector; of
 * one line to a hundred words, in each charset, with and without a byte order mark.
 */
export function encodedTexts(): readonly Encoded[] {
  const encoded: Encoded[] = [];
  for (const [language, charsets] of CHARSETS) {
    const regions = new Intl.DisplayNames([language], { type: 'region' });
    const languages = new Intl.DisplayNames([language], { type: 'language' });
    const all = [
      ...REGIONS.map((code) => regions.of(code) ?? ''),
      ...LANGUAGES.map((code) => languages.of(code) ?? ''),
    ];
    for (const charset of [...charsets, ...UNICODE]) {
      const words = all.filter((word) => iconv.decode(iconv.encode(word, charset), charset) === word);
      for (const [index, length] of [4, 12, 40, 100].entries()) {
        const chosen = Array.from({ length }, (_, at) => words[(at * 7 + index * 13 + length) % words.length] ?? '');
        const text = `Station;Name\r\n1;${chosen.join(';')}\r\n`;
        encoded.push({ text, charset, bytes: iconv.encode(text, charset, { addBOM: false }) });
        if (charset.startsWith('utf'))
          encoded.push({
            text,
            charset: `${charset} with a mark`,
            bytes: iconv.encode(text, charset, { addBOM: true }),
          });
      }
    }
  }
  return encoded;
}
