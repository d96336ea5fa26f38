import { gzipSync } from 'node:zlib';
import { Chance } from './chance.ts';
import type { Labelled } from './labelled-set.ts';

const SENTENCES = [
  'The transformer was inspected on Monday and the oil level was found to be low.',
  'Please note that the relay in bay four has been replaced by a newer model.',
  'It is recommended that the cable be tested again before the winter.',
  'After the storm all lines were back in service by noon.',
  'Der Transformator wurde am Montag geprüft und der Ölstand war zu niedrig.',
  'Bitte beachten Sie, dass das Relais in Feld vier durch ein neues ersetzt worden ist.',
  'Es wird empfohlen, das Kabel vor dem Winter noch einmal zu prüfen.',
  'Nach dem Sturm waren alle Leitungen bis zum Mittag wieder in Betrieb.',
  'Le transformateur a été contrôlé lundi et le niveau d’huile était trop bas.',
  'Il est recommandé de tester le câble encore une fois avant l’hiver.',
] as const;
const EVENTS = [
  'Breaker Q0 opened',
  'Overcurrent trip L1',
  'Communication lost with RTU 7',
  'User operator logged in',
  'Tap changer raised to step 11',
  'Schutz Anregung Feld 3',
] as const;
const two = (number: number): string => String(number).padStart(2, '0');

/** What lies on shares beside measurements. */
export function texts(count: number, seed: number): readonly Labelled[] {
  const chance = new Chance(seed);
  const prose = (sentences: number): string => Array.from({ length: sentences }, () => chance.of(SENTENCES)).join(' ');
  const makers: readonly (() => readonly [Labelled['label'], string])[] = [
    () => ['document', Array.from({ length: 3 + chance.below(5) }, () => prose(4)).join('\n\n')],
    () => [
      'document',
      `# Maintenance manual\n\n${prose(3)}\n\n## Steps\n\n- open the panel\n- check **voltage**\n- see [the plan](plan.pdf)\n\n${prose(2)}\n`,
    ],
    () => [
      'document',
      `<!DOCTYPE html><html><head><title>Report</title></head><body><h1>Report</h1><p>${prose(4)}</p></body></html>`,
    ],
    () => [
      'correspondence',
      `From: a@example.org\r\nTo: b@example.org\r\nSubject: Relay ${chance.below(99)}\r\nDate: Mon, 3 Mar 2008 10:11:12 +0100\r\nMessage-ID: <${chance.below(9_999)}@example.org>\r\n\r\n${prose(4)}\r\n`,
    ],
    () => ['correspondence', `Dear Mr Miller,\n\n${prose(4)}\n\nBest regards\nJ. Smith\n`],
    () => ['correspondence', `Sehr geehrte Frau Meier,\n\n${prose(4)}\n\nMit freundlichen Grüßen\nK. Schulze\n`],
    () => [
      'event-log',
      Array.from(
        { length: 6 + chance.below(40) },
        (_, row) =>
          `Mar ${String(1 + (row % 28)).padStart(2)} ${two(row % 24)}:${two(chance.below(60))}:${two(chance.below(60))} rtu${chance.below(9)} scada[${chance.below(999)}]: ${chance.of(EVENTS)}`,
      ).join('\n'),
    ],
    () => [
      'event-log',
      Array.from(
        { length: 6 + chance.below(40) },
        (_, row) =>
          `2011-0${1 + (row % 9)}-${two(1 + (row % 28))} ${two(row % 24)}:${two(chance.below(60))}:${two(chance.below(60))},${chance.below(1_000)} ${chance.of(['INFO', 'WARN', 'ERROR', 'ALARM'])} ${chance.of(EVENTS)}`,
      ).join('\r\n'),
    ],
    () => [
      'event-log',
      `Time;Device;Event;State\n${Array.from({ length: 8 + chance.below(40) }, (_, row) => `${two(1 + (row % 28))}.03.2009 ${two(chance.below(24))}:${two(chance.below(60))}:${two(chance.below(60))}.${chance.below(900) + 100};Q${chance.below(9)};${chance.of(EVENTS)};${chance.of(['ON', 'OFF', 'COMING', 'GOING'])}`).join('\n')}\n`,
    ],
    () => [
      'configuration',
      `; settings of the gateway\n[connection]\nhost=10.0.0.${chance.below(250)}\nport=2404\n\n[logging]\nlevel=info\nfile=C:\\log\\gw.txt\n`,
    ],
    () => [
      'configuration',
      `# service\nserver:\n  host: example\n  port: ${chance.below(9_000)}\n  tls: true\nlogging:\n  level: info\n`,
    ],
    () => [
      'configuration',
      `<?xml version="1.0"?>\n<configuration><appSettings><add key="a" value="${chance.below(9)}"/></appSettings></configuration>\n`,
    ],
    () => [
      'source-code',
      `#include <stdio.h>\n#define N ${chance.below(99)}\n\nstatic int sum(int *a, int n) {\n  int s = 0;\n  for (int i = 0; i < n; i++) {\n    s += a[i];\n  }\n  return s;\n}\n`,
    ],
    () => [
      'source-code',
      `import os\nimport sys\n\n\ndef read(path):\n    with open(path) as file:\n        return file.read()\n\n\nclass Meter:\n    def __init__(self, number):\n        self.number = ${chance.below(99)}\n\n    def value(self):\n        return self.number * 2\n`,
    ],
    () => [
      'source-code',
      `Option Explicit\nPrivate Sub Read_Click()\n  Dim i As Integer\n  For i = 1 To ${chance.below(99)}\n    If i > 3 Then\n      Cells(i, 1).Value = i\n    End If\n  Next i\nEnd Sub\n`,
    ],
    () => [
      'source-code',
      `@echo off\nrem copies the archive\nset SRC=C:\\data\nif not exist %SRC% goto end\nxcopy %SRC% D:\\backup\\${chance.below(9)} /s\n:end\npause\n`,
    ],
    () => [
      'database',
      `-- PostgreSQL database dump\nCREATE TABLE meters (id integer, name text);\nINSERT INTO meters VALUES (${chance.below(99)}, 'a');\nINSERT INTO meters VALUES (2, 'b');\n`,
    ],
    () => [
      'grid-model',
      `0, 100.00, 33, 0, 0, 50.00 / PSS(R)E 33 RAW\nTEST CASE\n\n1,'BUS1        ', 110.0,3,1,1,1,1.0,0.0\n2,'BUS2        ', 110.0,1,1,1,1,1.0,-${chance.below(9)}.0\n0 / END OF BUS DATA, BEGIN LOAD DATA\n0 / END OF LOAD DATA\nQ\n`,
    ],
    () => [
      'grid-model',
      `<?xml version="1.0"?>\n<SCL xmlns="http://www.iec.ch/61850/2003/SCL"><Header id="s${chance.below(99)}"/><Substation name="S"/></SCL>\n`,
    ],
    () => [
      'grid-model',
      `<?xml version="1.0"?>\n<rdf:RDF xmlns:cim="http://iec.ch/TC57/2013/CIM-schema-cim16#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cim:Substation rdf:ID="_${chance.below(99)}"/></rdf:RDF>\n`,
    ],
  ];
  return Array.from({ length: count }, (_, index): Labelled => {
    const [label, text] = makers[index % makers.length]?.() ?? ['unknown', ''];
    return { label, bytes: Buffer.from(text) };
  });
}

/** Files that are no text. */
export function binaries(seed: number): readonly Labelled[] {
  const chance = new Chance(seed);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => chance.below(256)));
  const png = Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61', 'hex'),
    noise(400),
    Buffer.from('0000000049454e44ae426082', 'hex'),
  ]);
  return [
    { label: 'empty', bytes: Buffer.alloc(0) },
    { label: 'archive', bytes: gzipSync('a text') },
    { label: 'corrupt', bytes: gzipSync(noise(5_000)).subarray(0, 3_000) },
    { label: 'image', bytes: png },
    { label: 'corrupt', bytes: png.subarray(0, 200) },
    { label: 'image', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>') },
    { label: 'encrypted', bytes: Buffer.concat([Buffer.from('Salted__'), noise(500)]) },
    { label: 'executable', bytes: Buffer.concat([Buffer.from('7f454c46020101000000000000000000', 'hex'), noise(500)]) },
    { label: 'database', bytes: Buffer.concat([Buffer.from('SQLite format 3\0'), noise(500)]) },
    // Nobody can tell.
    { label: 'unknown', bytes: noise(3_000) },
    { label: 'unknown', bytes: Buffer.alloc(4_096) },
    { label: 'unknown', bytes: Buffer.from('lorem') },
  ];
}
