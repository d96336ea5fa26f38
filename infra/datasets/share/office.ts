import iconv from 'iconv-lite';
import { makeZip } from '../../../activities/discovery/identification/archive/zip-maker.ts';
import { Chance } from '../../../activities/discovery/identification/accuracy/chance.ts';
import { two, type ShareFile } from './share-file.ts';

const MAILS = 40;
const LETTERS = 16;
const JOURNALS = 36;
const SETTINGS = 24;
const PROGRAMS = 16;
const REPORTS = 16;

const REMARKS = [
  'The transformer in bay four was inspected, and its oil level was found to be low.',
  'Please have the relay replaced by the newer model before the winter.',
  'After the storm all lines were back in service by noon.',
  'The meter at the transfer station shows values that cannot be true since Monday.',
  'It is recommended that the cable be tested again when it has been laid.',
  'The tap changer has not moved for three weeks, although the voltage was too high.',
] as const;
const BEMERKUNGEN = [
  'Der Transformator in Feld vier wurde geprüft, der Ölstand war zu niedrig.',
  'Bitte lassen Sie das Relais vor dem Winter durch das neuere Modell ersetzen.',
  'Nach dem Sturm waren alle Leitungen bis zum Mittag wieder in Betrieb.',
  'Der Zähler an der Übergabestation zeigt seit Montag Werte, die nicht stimmen können.',
  'Es wird empfohlen, das Kabel nach der Verlegung noch einmal zu prüfen.',
] as const;
const EVENTS = [
  'Breaker Q0 opened',
  'Overcurrent trip L1',
  'Communication lost with RTU 7',
  'User operator logged in',
  'Tap changer raised to step 11',
  'Disconnector Q9 in intermediate position',
] as const;
const PEOPLE = ['meier', 'schulze', 'okafor', 'lindqvist', 'novak', 'garcia'] as const;
const CHARSETS = ['utf-8', 'windows1252', 'cp850', 'iso885915'] as const;

/** What people of a grid operator leave behind beside measurements. */
export function* officeFiles(): Generator<ShareFile, void, undefined> {
  const chance = new Chance(23);
  yield* mails(chance);
  yield* letters(chance);
  yield* journals(chance);
  yield* settings(chance);
  yield* programs(chance);
  yield* reports(chance);
  yield* models();
}

function some(chance: Chance, sentences: readonly string[], count: number): string {
  return Array.from({ length: count }, () => chance.of(sentences)).join(' ');
}

function* mails(chance: Chance): Generator<ShareFile, void, undefined> {
  const mail = (index: number): string => {
    const [from, to] = [chance.of(PEOPLE), chance.of(PEOPLE)];
    return [
      `From: ${from}@grid.example`,
      `To: ${to}@grid.example`,
      `Subject: Bay ${chance.below(40)}, relay ${chance.below(900)}`,
      `Date: Mon, ${1 + (index % 28)} Mar 2008 ${two(7 + (index % 10))}:11:12 +0100`,
      `Message-ID: <${index}.${chance.below(99_999)}@grid.example>`,
      '',
      some(chance, REMARKS, 3),
      '',
      `Regards, ${from}`,
      '',
    ].join('\r\n');
  };
  const all = Array.from({ length: MAILS }, (_, index) => mail(index));
  for (const [index, text] of all.entries()) {
    yield { path: `Post/${PEOPLE[index % PEOPLE.length] ?? ''}/${two(index)}.eml`, bytes: text };
  }
  // A mailbox of some of them, as Unix keeps it.
  const box = all
    .slice(0, 12)
    .map((text) => `From mail@grid.example Mon Mar  3 10:11:12 2008\n${text.replaceAll('\r', '')}\n`);
  yield { path: 'Post/Archiv/inbox', bytes: box.join('') };
}

function* letters(chance: Chance): Generator<ShareFile, void, undefined> {
  for (let index = 0; index < LETTERS; index++) {
    const isGerman = index % 2 === 0;
    const text = isGerman
      ? `Sehr geehrte Frau Müller,\r\n\r\n${some(chance, BEMERKUNGEN, 4)}\r\n\r\n${some(chance, BEMERKUNGEN, 2)}\r\n\r\nMit freundlichen Grüßen\r\nK. Schröder\r\n`
      : `Dear Mr Miller,\n\n${some(chance, REMARKS, 4)}\n\n${some(chance, REMARKS, 3)}\n\nYours sincerely\nJ. Smith\n`;
    const charset = CHARSETS[(index >> 1) % CHARSETS.length] ?? 'utf-8';
    yield {
      path: `Schriftverkehr/${2001 + index}/Brief ${index}${isGerman ? ' (für Müller)' : ''}.txt`,
      bytes: isGerman ? iconv.encode(text, charset) : text,
    };
  }
}

function* journals(chance: Chance): Generator<ShareFile, void, undefined> {
  for (let index = 0; index < JOURNALS; index++) {
    const rows = 20 + chance.below(200);
    const day = two(1 + (index % 28));
    const time = (): string => `${two(chance.below(24))}:${two(chance.below(60))}:${two(chance.below(60))}`;
    const line = (row: number): string => {
      switch (index % 3) {
        case 0:
          return `Mar ${String(1 + (index % 28)).padStart(2)} ${time()} rtu${chance.below(9)} scada[${chance.below(999)}]: ${chance.of(EVENTS)}`;
        case 1:
          return `2011-03-${day} ${time()},${100 + chance.below(900)} ${chance.of(['INFO', 'WARN', 'ERROR', 'ALARM'])} ${chance.of(EVENTS)}`;
        default:
          return row === 0
            ? 'Time;Device;Event;State'
            : `${day}.03.2009 ${time()}.${100 + chance.below(900)};Q${chance.below(9)};${chance.of(EVENTS)};${chance.of(['COMING', 'GOING'])}`;
      }
    };
    const text = Array.from({ length: rows }, (_, row) => line(row)).join('\n');
    yield { path: `Leitstelle/Protokolle/journal.${index}${index % 5 === 0 ? '' : '.log'}`, bytes: `${text}\n` };
  }
}

function* settings(chance: Chance): Generator<ShareFile, void, undefined> {
  for (let index = 0; index < SETTINGS; index++) {
    const host = `10.${chance.below(9)}.0.${1 + chance.below(250)}`;
    const [name = '', text = ''] =
      [
        [
          `rtu${index}.ini`,
          `; gateway ${index}\r\n[connection]\r\nhost=${host}\r\nport=2404\r\n\r\n[logging]\r\nlevel=info\r\nfile=C:\\log\\gw${index}.txt\r\n`,
        ],
        [
          `site${index}.yaml`,
          `# service\nserver:\n  host: ${host}\n  port: ${2_000 + chance.below(900)}\n  tls: true\nlogging:\n  level: info\n`,
        ],
        [
          `app${index}.config`,
          `<?xml version="1.0"?>\n<configuration>\n  <appSettings>\n    <add key="host" value="${host}"/>\n    <add key="cycle" value="${chance.below(60)}"/>\n  </appSettings>\n</configuration>\n`,
        ],
        [
          `points${index}.json`,
          `${JSON.stringify({ host, points: [1, 2, 3].map((point) => ({ point, scale: chance.below(100) / 10 })) }, undefined, 2)}\n`,
        ],
      ][index % 4] ?? [];
    yield { path: `Leitstelle/Konfiguration/${name}`, bytes: text };
  }
}

function* programs(chance: Chance): Generator<ShareFile, void, undefined> {
  for (let index = 0; index < PROGRAMS; index++) {
    const number = chance.below(99);
    const [name = '', text = ''] =
      [
        [
          `Modul${index}.bas`,
          `Option Explicit\r\nPrivate Sub Read_Click()\r\n  Dim i As Integer\r\n  For i = 1 To ${number}\r\n    If i > 3 Then\r\n      Cells(i, 1).Value = i\r\n    End If\r\n  Next i\r\nEnd Sub\r\n`,
        ],
        [
          `poll${index}.c`,
          `#include <stdio.h>\n#define POINTS ${number}\n\nstatic int sum(int *a, int n) {\n  int s = 0;\n  for (int i = 0; i < n; i++) {\n    s += a[i];\n  }\n  return s;\n}\n`,
        ],
        [
          `kopie${index}.bat`,
          `@echo off\r\nrem copies the archive\r\nset SRC=C:\\data\r\nif not exist %SRC% goto end\r\nxcopy %SRC% D:\\backup\\${number} /s\r\n:end\r\npause\r\n`,
        ],
        [
          `dump${index}.sql`,
          `-- PostgreSQL database dump\nCREATE TABLE meters (id integer, name text);\nINSERT INTO meters VALUES (${number}, 'a');\nINSERT INTO meters VALUES (${number + 1}, 'b');\n`,
        ],
      ][index % 4] ?? [];
    yield { path: `Programme/alt/${name}`, bytes: text };
  }
}

function* reports(chance: Chance): Generator<ShareFile, void, undefined> {
  for (let index = 0; index < REPORTS; index++) {
    const text = Array.from({ length: 3 }, () => some(chance, REMARKS, 4));
    if (index % 4 === 0) {
      yield { path: `Berichte/Bericht ${index}.docx`, bytes: wordDocument(text) };
    } else if (index % 4 === 1) {
      yield { path: `Berichte/Zaehler ${index}.xlsx`, bytes: workbook(chance) };
    } else if (index % 4 === 2) {
      yield {
        path: `Berichte/report${index}.htm`,
        bytes: `<!DOCTYPE html><html><head><title>Report ${index}</title></head><body><h1>Report</h1>${text.map((part) => `<p>${part}</p>`).join('')}</body></html>\n`,
      };
    } else {
      yield {
        path: `Berichte/NOTES${index}.md`,
        bytes: `# Inspection ${index}\n\n${text[0] ?? ''}\n\n## Steps\n\n- open the panel\n- check **voltage**\n- see [the plan](plan.pdf)\n\n${text[1] ?? ''}\n`,
      };
    }
  }
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const TYPES = 'http://schemas.openxmlformats.org/package/2006/content-types';
const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

function wordDocument(paragraphs: readonly string[]): Buffer {
  const body = paragraphs.map((text) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`).join('');
  return makeZip([
    {
      name: '[Content_Types].xml',
      content: `${XML}<Types xmlns="${TYPES}"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
    },
    {
      name: '_rels/.rels',
      content: `${XML}<Relationships xmlns="${RELATIONS}"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>`,
    },
    {
      name: 'word/document.xml',
      content: `${XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    },
  ]);
}

function workbook(chance: Chance): Buffer {
  const rows = Array.from(
    { length: 40 },
    (_, row) =>
      `<row r="${row + 1}"><c r="A${row + 1}" t="inlineStr"><is><t>meter ${row}</t></is></c><c r="B${row + 1}"><v>${chance.below(90_000)}</v></c></row>`,
  );
  return makeZip([
    {
      name: '[Content_Types].xml',
      content: `${XML}<Types xmlns="${TYPES}"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
    },
    {
      name: '_rels/.rels',
      content: `${XML}<Relationships xmlns="${RELATIONS}"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    },
    {
      name: 'xl/workbook.xml',
      content: `${XML}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="${OFFICE}"><sheets><sheet name="Zaehler" sheetId="1" r:id="r1"/></sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: `${XML}<Relationships xmlns="${RELATIONS}"><Relationship Id="r1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    },
    {
      name: 'xl/worksheets/sheet1.xml',
      content: `${XML}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${rows.join('')}</sheetData></worksheet>`,
    },
  ]);
}

/** Models of grids, in the formats of four worlds. */
function* models(): Generator<ShareFile, void, undefined> {
  const buses = Array.from({ length: 30 }, (_, bus) => bus + 1);
  yield {
    path: 'Netzmodelle/winter.raw',
    bytes: `0, 100.00, 33, 0, 0, 50.00 / PSS(R)E 33 RAW\nWINTER PEAK\n\n${buses.map((bus) => `${bus},'BUS${String(bus).padEnd(9)}', 110.0,${bus === 1 ? 3 : 1},1,1,1,1.0,0.0`).join('\n')}\n0 / END OF BUS DATA, BEGIN LOAD DATA\n0 / END OF LOAD DATA\nQ\n`,
  };
  yield {
    path: 'Netzmodelle/station.scd',
    bytes:
      '<?xml version="1.0"?>\n<SCL xmlns="http://www.iec.ch/61850/2003/SCL"><Header id="s7"/><Substation name="Nord"><VoltageLevel name="E1"><Bay name="Q1"/></VoltageLevel></Substation></SCL>\n',
  };
  yield {
    path: 'Netzmodelle/20120601_EQ.xml',
    bytes: `<?xml version="1.0"?>\n<rdf:RDF xmlns:cim="http://iec.ch/TC57/2013/CIM-schema-cim16#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n${buses.map((bus) => `  <cim:Substation rdf:ID="_${bus}"><cim:IdentifiedObject.name>Station ${bus}</cim:IdentifiedObject.name></cim:Substation>`).join('\n')}\n</rdf:RDF>\n`,
  };
  yield {
    path: 'Netzmodelle/case30.m',
    bytes: `function mpc = case30\nmpc.version = '2';\nmpc.baseMVA = 100;\nmpc.bus = [\n${buses.map((bus) => `\t${bus}\t${bus === 1 ? 3 : 1}\t20.1\t5.2\t0\t0\t1\t1.0\t0\t135\t1\t1.05\t0.95;`).join('\n')}\n];\n`,
  };
}
