import { Chance } from './chance.ts';
import type { Labelled } from './labelled-set.ts';

const TYPES = ['ASCII', 'BINARY', 'BINARY32', 'FLOAT32'] as const;

/** Recordings of all revisions and types of data: configuration, data and single files, with the faults of real recorders. */
export function comtradeFiles(count: number, seed: number): readonly Labelled[] {
  const chance = new Chance(seed);
  return Array.from({ length: count }, (_, index): Labelled => {
    const revision = chance.of([1991, 1999, 2013] as const);
    const type = revision === 2013 ? chance.of(TYPES) : chance.of(['ASCII', 'BINARY'] as const);
    const analogs = 1 + chance.below(8);
    const digitals = chance.below(20);
    const samples = 20 + chance.below(300);
    const configuration = configurationLines(chance, { revision, type, analogs, digitals, samples });
    const data =
      type === 'ASCII'
        ? Buffer.from(asciiLines(chance, analogs, digitals, samples))
        : binaryRecords(chance, type, analogs, digitals, samples);
    switch (index % 4) {
      case 0:
        return { label: 'comtrade', bytes: Buffer.from(configuration) };
      case 1:
      case 2:
        return { label: 'comtrade', bytes: data };
      default: {
        const head = `--- file type: CFG ---\r\n${configuration}--- file type: INF ---\r\n\r\n--- file type: HDR ---\r\nFault on line 3\r\n`;
        const section =
          type === 'ASCII' ? '--- file type: DAT ASCII ---\r\n' : `--- file type: DAT ${type}: ${data.length} ---\r\n`;
        return { label: 'comtrade', bytes: Buffer.concat([Buffer.from(head + section), data]) };
      }
    }
  });
}

interface Recording {
  readonly revision: 1991 | 1999 | 2013;
  readonly type: (typeof TYPES)[number];
  readonly analogs: number;
  readonly digitals: number;
  readonly samples: number;
}

function configurationLines(chance: Chance, { revision, type, analogs, digitals, samples }: Recording): string {
  const lines = [
    `UW Nord,REL ${chance.below(900)}${revision === 1991 ? '' : `,${revision}`}`,
    `${analogs + digitals},${analogs}A,${digitals}D`,
  ];
  for (let channel = 1; channel <= analogs; channel++) {
    const ratios = revision === 1991 ? '' : ',600,1,S';
    lines.push(
      `${channel},${chance.of(['UL1', 'IL2', 'U0', 'Va'])},${chance.of(['A', 'B', ''])},,${chance.of(['V', 'kV', 'A'])},${(chance.next() / 10).toFixed(6)},0.0,0,-32767,32767${ratios}`,
    );
  }
  for (let channel = 1; channel <= digitals; channel++)
    lines.push(revision === 1991 ? `${channel},TRIP ${channel},0` : `${channel},TRIP ${channel},,,0`);
  const day = revision === 1991 ? '03/27/98' : '27/03/2014';
  lines.push(
    '50',
    '1',
    `4000,${samples}`,
    `${day},10:11:12.123456`,
    `${day},10:11:12.223456`,
    chance.below(3) === 0 ? type.toLowerCase() : type,
  );
  if (revision !== 1991 && chance.below(4) > 0) lines.push('1');
  if (revision === 2013) lines.push('+1h30,0', 'B,3');
  return `${lines.join('\r\n')}\r\n`;
}

function asciiLines(chance: Chance, analogs: number, digitals: number, samples: number): string {
  let text = '';
  for (let sample = 0; sample < samples; sample++) {
    const values = [
      ...Array.from({ length: analogs }, () => chance.below(65_534) - 32_767),
      ...Array.from({ length: digitals }, () => chance.below(2)),
    ];
    text += `${sample + 1},${sample * 250},${values.join(',')}\r\n`;
  }
  // DOS programs end a file with a character of its own.
  return chance.below(2) === 0 ? `${text}\u001a` : text;
}

function binaryRecords(
  chance: Chance,
  type: Exclude<Recording['type'], 'ASCII'>,
  analogs: number,
  digitals: number,
  samples: number,
): Buffer {
  const bytes = type === 'BINARY' ? 2 : 4;
  const width = 8 + analogs * bytes + 2 * Math.ceil(digitals / 16);
  const data = Buffer.alloc(width * samples);
  for (let sample = 0; sample < samples; sample++) {
    data.writeUInt32LE(sample + 1, sample * width);
    data.writeUInt32LE(sample * 250, sample * width + 4);
    for (let channel = 0; channel < analogs; channel++) {
      const at = sample * width + 8 + channel * bytes;
      if (type === 'BINARY') data.writeInt16LE(chance.below(65_535) - 32_767, at);
      else if (type === 'BINARY32') data.writeInt32LE(chance.below(2 ** 31), at);
      else data.writeFloatLE(chance.next() * 1_000, at);
    }
    for (let word = 0; word < Math.ceil(digitals / 16); word++)
      data.writeUInt16LE(chance.below(65_536), sample * width + 8 + analogs * bytes + word * 2);
  }
  return data;
}
