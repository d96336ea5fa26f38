import { GridError } from '../../../grid/errors.ts';
import type { ProducedRecord } from '../../../connectors/kafka/produce/record-producer.ts';
import { recordBytes, type PacedSource, type Taken } from '../pacing/paced-source.ts';
import { MOST_SENSORS } from './correlation-id.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

/**
 * The simulated fleet as a source: its schedule is the event time of its readings.
 *
 * @throws GridError `invalid-configuration` when its sensors are more than correlation ids can tell apart.
 */
export function createSimulatorSource(options: SimulationOptions & { readonly topic: string }): PacedSource {
  const lastSensorId = options.firstSensorId + options.sensors - 1;
  if (lastSensorId >= MOST_SENSORS) {
    throw new GridError(
      'invalid-configuration',
      `Starting the simulator: its last sensor would have the id ${lastSensorId}; ids must stay below ${MOST_SENSORS}. Lower SIMULATOR_SENSORS or SIMULATOR_FIRST_SENSOR_ID.`,
    );
  }
  const simulation = new Simulation(options);
  return {
    name: 'simulator',
    take(untilMs, maxRecords) {
      return Promise.resolve(takeFrom(simulation, options.topic, untilMs, maxRecords));
    },
    close: () => Promise.resolve(),
  };
}

function takeFrom(simulation: Simulation, topic: string, untilMs: number, maxRecords: number): Taken {
  const records: ProducedRecord[] = [];
  const counts: Record<string, number> & { total: number } = { total: 0 };
  let bytes = 0;
  while (records.length < maxRecords && simulation.nextDueMs <= untilMs) {
    const record = simulation.next();
    if (record === undefined) break;
    records.push(record);
    bytes += recordBytes(record);
    counts.total += 1;
    add(counts, record.kind);
    add(counts, record.aspect);
    if (record.code !== undefined) add(counts, `malformed.${record.code}`);
  }
  if (records.length > 0) return { kind: 'batch', batch: { sends: [{ topic, records }], bytes, counts } };
  return simulation.finished ? { kind: 'finished' } : { kind: 'not-yet', dueMs: simulation.nextDueMs };
}

function add(counts: Record<string, number>, kind: string): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}
