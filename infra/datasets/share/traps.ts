import { gzipSync } from 'node:zlib';
import { makeZip } from '../../../activities/discovery/identification/archive/zip-maker.ts';
import { Chance } from '../../../activities/discovery/identification/accuracy/chance.ts';
import type { ShareFile, ShareLink } from './share-file.ts';

const BOMB_BYTES = 16 << 20;
const LONG_LINE_BYTES = 1 << 20;
const DEEP_ELEMENTS = 20_000;
const NESTED_ARCHIVES = 12;
const SYMBOLIC_LINK = 0o120777;

/** What a share has that no crawl must stumble over: all of it harmless where it is, and small. */
export function* trapFiles(): Generator<ShareFile, void, undefined> {
  const chance = new Chance(31);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => chance.below(256)));
  const file = (name: string, bytes: Buffer | string): ShareFile => ({ path: `Verschiedenes/${name}`, bytes });
  const report = 'A report of what was found in the cabinet, in some words.\n'.repeat(40);

  yield file('vertraulich.zip', makeZip([{ name: 'gehalt.xls', content: noise(2_000), flags: 1 }]));
  yield file('platzhalter.zip', makeZip([{ name: 'zeros.dat', content: Buffer.alloc(BOMB_BYTES) }]));
  yield file('viele.gz', gzipSync(Buffer.alloc(BOMB_BYTES)));
  let nested = makeZip([{ name: 'innermost.txt', content: 'It was not worth it.\n' }]);
  for (let depth = NESTED_ARCHIVES; depth > 0; depth--) nested = makeZip([{ name: `${depth}.zip`, content: nested }]);
  yield file('matrjoschka.zip', nested);
  yield file(
    'ausbruch.zip',
    makeZip([
      { name: '../../../etc/cron.d/job', content: 'out of here\n' },
      { name: '/etc/passwd', content: 'from the root\n' },
      { name: 'link', content: '/etc/shadow', unixMode: SYMBOLIC_LINK },
      { name: 'harmlos.txt', content: report },
    ]),
  );
  yield file(
    'ueberlappend.zip',
    makeZip([
      { name: 'eins.txt', content: report },
      { name: 'zwei.txt', content: report, sharesOffset: true },
    ]),
  );
  yield file(
    'pruefsumme.zip',
    makeZip([
      { name: 'falsch.txt', content: report, crc: 1 },
      { name: 'gut.txt', content: report },
    ]),
  );
  const whole = makeZip([
    { name: 'a.txt', content: report },
    { name: 'b.txt', content: noise(5_000) },
  ]);
  yield file('abgebrochen.zip', whole.subarray(0, Math.floor(whole.length / 2)));
  yield file('abgebrochen.tar.gz', gzipSync(noise(20_000)).subarray(0, 9_000));
  yield file(
    'halb.png',
    Buffer.concat([
      Buffer.from('89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61', 'hex'),
      noise(120),
    ]),
  );

  // Names that lie, and names that say nothing.
  yield file(
    'Messwerte.csv',
    Buffer.concat([
      Buffer.from('89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61', 'hex'),
      noise(400),
      Buffer.from('0000000049454e44ae426082', 'hex'),
    ]),
  );
  yield file('rechnung.doc', 'id;name;amount\n1;meter;4,50\n2;cable;17,25\n3;relay;312,00\n4;lamp;0,75\n');
  yield file('bild.jpg', report);
  yield file('FILE0001.CHK', report.replaceAll('cabinet', 'drawer'));
  yield file('~$temp', noise(162));
  yield file('Thumbs.db', Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(2_040)]));
  yield file('core', Buffer.concat([Buffer.from('7f454c46020101000000000000000000', 'hex'), noise(900)]));
  yield file('schluessel.gpg', Buffer.concat([Buffer.from('Salted__'), noise(500)]));
  yield file('leer', '');
  yield file('ein byte', 'x');
  yield file('nullen.bin', Buffer.alloc(4_096));
  yield file('rauschen', noise(3_000));

  // What makes simple readers run out of memory, stack or time.
  yield file('eine zeile.txt', 'value '.repeat(LONG_LINE_BYTES / 6));
  yield file('tief.json', '['.repeat(DEEP_ELEMENTS) + ']'.repeat(DEEP_ELEMENTS));
  yield file('tief.xml', `${'<a>'.repeat(DEEP_ELEMENTS)}${'</a>'.repeat(DEEP_ELEMENTS)}`);
  yield file(
    'lachen.xml',
    `<?xml version="1.0"?>\n<!DOCTYPE l [\n<!ENTITY a "ha">\n${'bcdefghij'.replace(/./g, (name) => `<!ENTITY ${name} "${`&${String.fromCharCode(name.charCodeAt(0) - 1)};`.repeat(10)}">\n`)}]>\n<l>&j;</l>\n`,
  );
  yield file(
    'breit.csv',
    `${Array.from({ length: 20_000 }, (_, column) => `c${column}`).join(';')}\n${Array.from({ length: 20_000 }, () => '1').join(';')}\n`,
  );

  // Names as bytes.
  const below = (name: Buffer): Buffer => Buffer.concat([Buffer.from('Verschiedenes/'), name]);
  yield {
    path: below(Buffer.from('Prüfbericht März.txt', 'latin1')),
    bytes: `${report}From a machine that knew no UTF-8.\n`,
  };
  yield { path: below(Buffer.from('zwei\nzeilen\t.txt')), bytes: `${report}With a line feed in its name.\n` };
  yield { path: below(Buffer.from('100% sicher!')), bytes: `${report}With a percent sign.\n` };
  yield { path: below(Buffer.from(`${'lang'.repeat(62)}.txt`)), bytes: `${report}With a long name.\n` };
  yield { path: below(Buffer.from('-rf')), bytes: `${report}That looks like an option.\n` };
}

export const TRAP_LINKS: readonly ShareLink[] = [
  { path: 'Verschiedenes/im kreis', target: '../Verschiedenes' },
  { path: 'Verschiedenes/hinaus', target: '/etc' },
  { path: 'Messwerte/aktuell', target: 'gibt/es/nicht' },
];
