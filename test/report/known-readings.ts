import type { QueryBed } from '../query/query-bed.ts';

export interface KnownReading {
  readonly sensor: string;
  readonly aspect: 'real_time' | 'edge_prediction';
  readonly unit: string;
  /** Exact. */
  readonly text: string | null;
  readonly ms: number;
}

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2024, 1, 28);

/** Three sensors over five days, one of them with a day without readings, each at its own pace; forecasts of one. */
export function knownReadings(): readonly KnownReading[] {
  const readings: KnownReading[] = [];
  const add = (sensor: string, aspect: KnownReading['aspect'], ms: number, value: number, unit = 'MW'): void => {
    readings.push({ sensor, aspect, unit, text: value.toFixed(3), ms });
  };
  for (let day = 0; day < 5; day++) {
    const dayMs = FIRST_MS + day * DAY_MS;
    for (let step = 0; step < 24; step++) {
      const value = 100 + 40 * Math.sin((step / 24) * 2 * Math.PI) + day * 3.25;
      // Some hours of one day are missing.
      if (day !== 2 || step < 9 || step > 12) add('6', 'real_time', dayMs + step * 3_600_000, value);
      add('6', 'edge_prediction', dayMs + step * 3_600_000 + 60_000, value + (step % 5) - 1.5);
    }
    if (day !== 1) {
      for (let step = 0; step < 12; step++) add("o'7", 'real_time', dayMs + step * 7_200_000, step * -1.5, '');
    }
  }
  // The same value again, later that day: the first of it is the peak's time. And one whose number does not fit.
  add('6', 'real_time', FIRST_MS + 23.5 * 3_600_000, 140);
  readings.push({ sensor: '8', aspect: 'real_time', unit: 'MW', text: null, ms: FIRST_MS });
  return readings;
}

/** The table `readings_all` with them, of the columns that the real one has. */
export async function makeReadings(bed: QueryBed, readings: readonly KnownReading[]): Promise<void> {
  const lines = readings.map(({ sensor, aspect, unit, text, ms }, index) => {
    const time = new Date(ms).toISOString();
    return [
      ...[sensor, aspect, unit, text ?? '1e99', text ?? '\\N', time.slice(0, 23).replace('T', ' '), ms, ms / 1_000],
      ...[`c${index}`, 'stream', '\\N', 0, 0, index, time.slice(0, 10)],
    ].join('\t');
  });
  const path = `${bed.directory}/readings/part-0`;
  await bed.hdfs.writeFile(path, Buffer.from(`${lines.join('\n')}\n`), { createParent: true });
  await bed.hive.execute(
    `CREATE EXTERNAL TABLE ${bed.hiveDatabase}.readings_all (sensor_id STRING, aspect STRING, unit STRING, value_text STRING, value DECIMAL(38,18),
       event_time TIMESTAMP, event_ms BIGINT, created_at STRING, correlation_id STRING, origin STRING, source_table STRING, kafka_partition INT,
       first_offset BIGINT, place BIGINT, event_day STRING)
     ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' STORED AS TEXTFILE LOCATION '${bed.directory}/readings'`,
  );
}

/** Readings by sensor, unit and day, in order of time. */
export function byDay(
  readings: readonly KnownReading[],
  aspect: KnownReading['aspect'],
): ReadonlyMap<string, readonly KnownReading[]> {
  const days = new Map<string, KnownReading[]>();
  for (const reading of [...readings].sort((a, b) => a.ms - b.ms)) {
    if (reading.aspect !== aspect || reading.text === null) continue;
    const key = [reading.sensor, reading.unit, new Date(reading.ms).toISOString().slice(0, 10)].join('|');
    days.set(key, [...(days.get(key) ?? []), reading]);
  }
  return days;
}
