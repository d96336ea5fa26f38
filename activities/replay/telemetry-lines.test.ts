import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readingsOf, type LegacyReading } from './telemetry-lines.ts';

const [first, second] = ['ab'.repeat(32), 'cd'.repeat(32)] as const;
const bundle = Buffer.from(
  [
    `${first}\t0\t1\t6\t1694902173.5\t4.20\tMW\treal_time`,
    `${second}\t0\t1\ta\\\tb\\\\c\t1694902173\t1\t°C\tedge_prediction`,
    `${second}\t1\t1\t7\t1694902174\t2\t\treal_time`,
    '',
  ].join('\n'),
);

async function read(content: string, size: number): Promise<readonly LegacyReading[]> {
  const chunks = Array.from({ length: Math.ceil(bundle.length / size) }, (_, at) =>
    bundle.subarray(at * size, (at + 1) * size),
  );
  const readings: LegacyReading[] = [];
  for await (const reading of readingsOf(content, Readable.from(chunks), '/x')) readings.push(reading);
  return readings;
}

test.each([1, 7, 1_000])(
  'readings of one content come out of a bundle as they went in, in chunks of %d',
  async (size) => {
    expect(await read(second, size)).toEqual([
      {
        row: '0',
        column: '1',
        sensorId: 'a\tb\\c',
        eventTime: '1694902173',
        value: '1',
        unit: '°C',
        aspect: 'edge_prediction',
      },
      { row: '1', column: '1', sensorId: '7', eventTime: '1694902174', value: '2', unit: '', aspect: 'real_time' },
    ]);
    expect(await read(first, size)).toHaveLength(1);
    expect(await read('ef'.repeat(32), size)).toEqual([]);
  },
);
