import iconv from 'iconv-lite';

/** A charset in which each byte is a character. */
export interface SingleByteCharset {
  /** As the Encoding Standard of the WHATWG names it, or as IANA does where that has none. */
  readonly name: string;
  readonly iconvName: string;
  /** What speaks for it before anything is read, as the logarithm of a probability. */
  readonly prior: number;
  /** Characters of the bytes from 128 on; undefined: there is none. */
  readonly high: readonly (string | undefined)[];
}

/** Name, name for iconv-lite, prior: Windows first, then the norms, DOS, the Macintosh, and what is rare everywhere. */
const NAMES: readonly (readonly [string, string, number])[] = [
  ['windows-1252', 'windows1252', 0],
  ['iso-8859-15', 'iso885915', -1.6],
  ['windows-1250', 'windows1250', -0.8],
  ['iso-8859-2', 'iso88592', -1],
  ['windows-1251', 'windows1251', -0.6],
  ['koi8-r', 'koi8r', -1.5],
  ['koi8-u', 'koi8u', -1.7],
  ['iso-8859-5', 'iso88595', -2],
  ['windows-1253', 'windows1253', -1],
  ['iso-8859-7', 'iso88597', -1.2],
  ['windows-1254', 'windows1254', -1.2],
  ['windows-1255', 'windows1255', -1],
  ['iso-8859-8', 'iso88598', -1.3],
  ['windows-1256', 'windows1256', -1],
  ['iso-8859-6', 'iso88596', -1.5],
  ['windows-1257', 'windows1257', -1],
  ['iso-8859-4', 'iso88594', -2],
  ['iso-8859-10', 'iso885910', -3],
  ['iso-8859-13', 'iso885913', -1.5],
  ['iso-8859-16', 'iso885916', -2.5],
  ['iso-8859-3', 'iso88593', -3],
  ['iso-8859-14', 'iso885914', -3],
  ['windows-1258', 'windows1258', -3],
  ['windows-874', 'windows874', -1],
  ['IBM850', 'cp850', -1],
  ['IBM437', 'cp437', -1.1],
  ['IBM858', 'cp858', -1.8],
  ['IBM852', 'cp852', -1.2],
  ['ibm866', 'cp866', -1],
  ['IBM855', 'cp855', -2.5],
  ['IBM857', 'cp857', -1.8],
  ['IBM737', 'cp737', -1.5],
  ['IBM869', 'cp869', -2.5],
  ['IBM775', 'cp775', -1.8],
  ['IBM862', 'cp862', -1.8],
  ['IBM860', 'cp860', -3],
  ['IBM861', 'cp861', -3],
  ['IBM863', 'cp863', -3],
  ['IBM865', 'cp865', -2],
  ['macintosh', 'macintosh', -1.3],
  ['x-mac-cyrillic', 'maccyrillic', -1.8],
  ['x-mac-ce', 'maccenteuro', -1.8],
  ['x-mac-greek', 'macgreek', -2],
  ['x-mac-turkish', 'macturkish', -2.2],
  ['x-mac-icelandic', 'maciceland', -3],
  ['x-mac-croatian', 'maccroatian', -3],
  ['x-mac-romanian', 'macromania', -3],
];

const REPLACEMENT = '\ufffd';
/** Without a character in the code page of Windows, where iconv-lite has one of its own. */
const isControl = (character: string): boolean => character >= '\u0080' && character < '\u00a0';

let charsets: readonly SingleByteCharset[] | undefined;

export function singleByteCharsets(): readonly SingleByteCharset[] {
  charsets ??= NAMES.map(([name, iconvName, prior]) => ({
    name,
    iconvName,
    prior,
    high: Array.from({ length: 128 }, (_, index) => {
      const character = iconv.decode(Buffer.of(128 + index), iconvName);
      return character === REPLACEMENT || character.length !== 1 || isControl(character) ? undefined : character;
    }),
  }));
  return charsets;
}
