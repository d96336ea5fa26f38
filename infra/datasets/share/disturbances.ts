import { Chance } from '../../../activities/discovery/identification/accuracy/chance.ts';
import type { ShareFile } from './share-file.ts';

const SAMPLES = 400;
const HERTZ = 4_000;
const TYPES = ['ASCII', 'BINARY', 'BINARY32', 'FLOAT32'] as const;
type DataType = (typeof TYPES)[number];

interface Kind {
  readonly revision: 1991 | 1999 | 2013;
  readonly type: DataType;
  /** All in one file, as the revision of 2013 has it. */
  readonly isSingle: boolean;
}

const KINDS: readonly Kind[] = [
  ...([1991, 1999] as const).flatMap((revision) =>
    (['ASCII', 'BINARY'] as const).map((type) => ({ revision, type, isSingle: false })),
  ),
  ...TYPES.map((type) => ({ revision: 2013 as const, type, isSingle: false })),
  ...TYPES.map((type) => ({ revision: 2013 as const, type, isSingle: true })),
];
const CHANNELS = [
  ['UL1', 'A', 'kV', 0],
  ['UL2', 'B', 'kV', -2 / 3],
  ['UL3', 'C', 'kV', 2 / 3],
  ['IL1', 'A', 'A', -1 / 12],
  ['IL2', 'B', 'A', -2 / 3 - 1 / 12],
  ['IL3', 'C', 'A', 2 / 3 - 1 / 12],
] as const;
const SIGNALS = ['START', 'TRIP L1', 'CB OPEN'];

/** COMTRADE recordings of faults: every revision and type of data, with headers and information, some of them under names that say nothing. */
export function* disturbanceFiles(): Generator<ShareFile, void, undefined> {
  const chance = new Chance(11);
  for (const [index, kind] of KINDS.entries()) {
    const samples = waves(chance);
    const base = `Schutz/Stoerschriebe/${kind.revision}/F${String(1_000 + index * 17)}`;
    const configuration = configurationText(kind, index);
    const data = dataOf(kind.type, samples);
    const header = `Earth fault on line ${index + 3}, phase L1.\r\nThe protection has picked up and tripped, and the breaker opened after 60 ms. It was closed again by hand, since the cause of the fault was found to be a tree that had fallen on the line in the storm of that night.\r\n`;
    if (kind.isSingle) {
      const dataHead = kind.type === 'ASCII' ? 'DAT ASCII' : `DAT ${kind.type}: ${data.length}`;
      const head = `--- file type: CFG ---\r\n${configuration}--- file type: INF ---\r\n\r\n--- file type: HDR ---\r\n${header}--- file type: ${dataHead} ---\r\n`;
      yield { path: `${base}.cff`, bytes: Buffer.concat([Buffer.from(head), data]) };
      continue;
    }
    yield { path: `${base}.CFG`, bytes: configuration };
    // What a program of then has cut off, or another has renamed.
    yield { path: index % 4 === 3 ? base : `${base}.DAT`, bytes: data };
    yield { path: `${base}.HDR`, bytes: header };
    if (kind.revision === 2013) {
      yield {
        path: `${base}.INF`,
        bytes: `[Public Record_Information]\r\nSource=Relay\r\nRecord_Information=Fault ${index}\r\nLocation=Bay ${index}\r\n`,
      };
    }
  }
}

/** Three voltages and currents of 50 Hz; within the fault one voltage breaks down and its current rises. */
function waves(chance: Chance): readonly number[][] {
  const beginning = 120 + chance.below(60);
  return Array.from({ length: SAMPLES }, (_, sample) =>
    CHANNELS.map(([name, , unit, phase]) => {
      const isFault = name.endsWith('L1') && sample > beginning && sample < beginning + 240;
      const amplitude = unit === 'kV' ? (isFault ? 3_000 : 16_000) : isFault ? 22_000 : 1_500;
      const angle = 2 * Math.PI * ((sample * 50) / HERTZ) + Math.PI * phase;
      return Math.round(amplitude * Math.sin(angle) + chance.below(40) - 20);
    }),
  );
}

function configurationText({ revision, type }: Kind, index: number): string {
  const day = revision === 1991 ? '03/27/98' : '27/03/2014';
  return [
    `UW Nord,REL ${500 + index}${revision === 1991 ? '' : `,${revision}`}`,
    `${CHANNELS.length + SIGNALS.length},${CHANNELS.length}A,${SIGNALS.length}D`,
    ...CHANNELS.map(
      ([name, phase, unit], channel) =>
        `${channel + 1},${name},${phase},Line ${index + 3},${unit},0.01,0.0,0,-32767,32767${revision === 1991 ? '' : ',600,1,S'}`,
    ),
    ...SIGNALS.map((name, channel) => `${channel + 1},${name}${revision === 1991 ? '' : ',,'},0`),
    '50',
    '1',
    `${HERTZ},${SAMPLES}`,
    `${day},10:11:12.123456`,
    `${day},10:11:12.153456`,
    type,
    ...(revision === 1991 ? [] : ['1']),
    ...(revision === 2013 ? ['+1,+1', 'B,3'] : []),
    '',
  ].join('\r\n');
}

function dataOf(type: DataType, samples: readonly number[][]): Buffer {
  const digital = (sample: number): readonly number[] => [+(sample > 160), +(sample > 200), +(sample > 360)];
  if (type === 'ASCII') {
    const text = samples.map((values, sample) => [sample + 1, sample * 250, ...values, ...digital(sample)].join(','));
    return Buffer.from(`${text.join('\r\n')}\r\n`);
  }
  const bytes = type === 'BINARY' ? 2 : 4;
  const width = 8 + CHANNELS.length * bytes + 2;
  const data = Buffer.alloc(width * samples.length);
  for (const [sample, values] of samples.entries()) {
    const from = sample * width;
    data.writeUInt32LE(sample + 1, from);
    data.writeUInt32LE(sample * 250, from + 4);
    for (const [channel, value] of values.entries()) {
      const place = from + 8 + channel * bytes;
      if (type === 'BINARY') data.writeInt16LE(value, place);
      else if (type === 'BINARY32') data.writeInt32LE(value, place);
      else data.writeFloatLE(value / 100, place);
    }
    data.writeUInt16LE(
      digital(sample).reduce((word, state, bit) => word | (state << bit), 0),
      from + width - 2,
    );
  }
  return data;
}
