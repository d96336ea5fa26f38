import type { ProducedRecord } from '../../../connectors/kafka/produce/record-producer.ts';
import type { SpeedPartition } from '../../../connectors/postgres/serving/speed-view.ts';
import type { SpeedRow } from '../../../connectors/postgres/serving/speed-statements.ts';
import { windowLengthMs } from '../../../grid/aggregate/window.ts';

/** `provisional`: readings may still come. `final`: the watermark has passed its end. `corrected`: readings came all the same. */
export type WindowState = 'provisional' | 'final' | 'corrected';

export function stateOf({ is_corrected: isCorrected, is_final: isFinal }: SpeedRow): WindowState {
  if (isCorrected) return 'corrected';
  return isFinal ? 'final' : 'provisional';
}

/**
 * The record of `AGGREGATES` for a row of the speed view: its key is the sensor id. A revision of a row never changes, so a reader that knows a row's
 * revision, or a higher one, drops what comes of it again.
 *
 * @param lastOffset all offsets of the segment up to it are in the row
 */
export function revisionRecord(
  row: SpeedRow,
  { topic, partition }: SpeedPartition,
  lastOffset: number,
): ProducedRecord {
  const value = {
    schema_version: 1,
    sensor_id: row.sensor_id,
    aspect: row.aspect,
    unit: row.unit,
    resolution: row.resolution,
    window_start: new Date(row.start_ms).toISOString(),
    window_end: new Date(row.start_ms + windowLengthMs(row.resolution)).toISOString(),
    state: stateOf(row),
    revision: row.revision,
    source: { topic, partition, first_offset: row.segment_first_offset, last_offset: lastOffset },
    aggregate: {
      count: row.reading_count,
      inexact: row.inexact_count,
      unsquared: row.unsquared_count,
      sum: row.value_sum,
      sum_of_squares: row.value_sum_of_squares,
      min: row.value_min,
      max: row.value_max,
      first: valueAtTime(row.first_order, row.first_value),
      last: valueAtTime(row.last_order, row.last_value),
    },
  };
  return { key: row.sensor_id, value: JSON.stringify(value) };
}

const SECONDS_DIGITS = 12;
const ORDER_DIGITS = 30;

/** What `orderOf` (grid/aggregate) put together, taken apart. */
function valueAtTime(order: string, value: string): { created_at: string; correlation_id: string; value: string } {
  const seconds = order.slice(0, SECONDS_DIGITS).replace(/^0+(?=\d)/, '');
  let end = ORDER_DIGITS;
  while (end > SECONDS_DIGITS && order[end - 1] === '0') end--;
  const fraction = order.slice(SECONDS_DIGITS, end);
  return {
    created_at: fraction === '' ? seconds : `${seconds}.${fraction}`,
    correlation_id: order.slice(ORDER_DIGITS + 1),
    value,
  };
}
