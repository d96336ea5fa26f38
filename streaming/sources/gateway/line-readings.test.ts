import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from '../../../grid/envelope.ts';
import type { Reading } from '../../../grid/reading.ts';
import { parseLineProtocol } from './line-protocol.ts';
import { lineReadings, PRECISIONS } from './line-readings.ts';

const RECEIVED_AT_MS = 1_700_000_000_000;
const LIMITS = { maxBytes: 65_536, maxAheadMs: 3_600_000 };

function readings(text: string, precision = 'ns'): (Reading | string)[] {
  const unit = PRECISIONS.get(precision);
  if (unit === undefined) throw new Error(`no precision ${precision}`);
  return [...parseLineProtocol(Buffer.from(text))].flatMap((line) => {
    if (!line.ok) throw new Error(line.message);
    return [...lineReadings(line.point, unit, RECEIVED_AT_MS)].map((result) => {
      if (!result.ok) return `${result.rejection.code} ${result.rejection.field ?? ''}`;
      const decoded = decodeEnvelope(Buffer.from(result.envelope), RECEIVED_AT_MS, LIMITS);
      return decoded.ok ? decoded.reading : decoded.rejection.code;
    });
  });
}

function one(text: string, precision?: string): Reading {
  const [reading] = readings(text, precision);
  if (reading === undefined || typeof reading === 'string') throw new Error(`no reading: ${reading ?? 'nothing'}`);
  return reading;
}

describe('a point', () => {
  it('is a reading of the sensor that its tag names, with exact number and time', () => {
    expect(one('power,sensor_id=6,unit=MW value=421.50 1694902173122458000')).toMatchObject({
      sensorId: '6',
      modality: '421.50',
      unit: 'MW',
      aspect: 'real_time',
      createdAt: '1694902173.122458',
    });
  });

  it('may name the sensor by station_id, and be a prediction', () => {
    expect(one('p,station_id=north,temporal_aspect=edge_prediction modality=1i 1694902173000000000')).toMatchObject({
      sensorId: 'north',
      aspect: 'edge_prediction',
      unit: '',
    });
  });

  it('without such a tag belongs to its series, whose tags have no order', () => {
    const first = one('load,b=2,a=1,unit=MW value=1 1694902173000000000');
    expect(first.sensorId).toBe('load,a=1,b=2');
    expect(one('load,a=1,unit=MW,b=2 value=1 1694902173000000000')).toEqual(first);
  });

  it('with several fields is as many readings, each of its own sensor unless the field is the value', () => {
    const found = readings('m,sensor_id=6 value=1,voltage=230.10,current=5i 1694902173000000000');
    expect(
      found.map((reading) => (typeof reading === 'string' ? reading : [reading.sensorId, reading.modality])),
    ).toEqual([
      ['6', '1'],
      ['6.voltage', '230.10'],
      ['6.current', '5'],
    ]);
  });

  it('rejects what is no number, field by field', () => {
    expect(
      readings('m,sensor_id=6 a="x",b=true,c=NaN,value=1 1694902173000000000').map((r) =>
        typeof r === 'string' ? r : r.modality,
      ),
    ).toEqual(['wrong-type a', 'wrong-type b', 'not-a-number c', '1']);
  });

  it('rejects an aspect that is none', () => {
    expect(readings('m,sensor_id=6,temporal_aspect=past value=1 1694902173000000000')).toEqual([
      'unknown-aspect temporal_aspect',
    ]);
  });

  it.each([
    ['s', '1694902173', '1694902173'],
    ['ms', '1694902173122', '1694902173.122'],
    ['us', '1694902173122458', '1694902173.122458'],
    ['u', '1694902173122458', '1694902173.122458'],
    ['ns', '1694902173122458999', '1694902173.122458999'],
    ['m', '28248369', '1694902140'],
    ['h', '470806', '1694901600'],
  ])('reads its timestamp in %s', (precision, timestamp, createdAt) => {
    expect(one(`m,sensor_id=6 value=1 ${timestamp}`, precision).createdAt).toBe(createdAt);
  });

  it('that is sent again is the same reading, in whatever unit of time', () => {
    const id = one('m,sensor_id=6 value=1 1694902173000000000').correlationId;
    expect(one('m,sensor_id=6 value=1 1694902173', 's').correlationId).toBe(id);
    expect(one('m,sensor_id=6 value=2 1694902173', 's').correlationId).not.toBe(id);
    expect(one('m,sensor_id=7 value=1 1694902173', 's').correlationId).not.toBe(id);
    expect(one('m,sensor_id=6 modality=1 1694902173', 's').correlationId).not.toBe(id);
  });

  it('without a timestamp is a new reading of the time of receipt', () => {
    const [first, second] = [one('m,sensor_id=6 value=1'), one('m,sensor_id=6 value=1')];
    expect(first.createdAt).toBe('1700000000');
    expect(first.correlationId).not.toBe(second.correlationId);
  });
});
