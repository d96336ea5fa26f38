import { z } from 'zod';
import { TEMPORAL_ASPECTS } from '../../../grid/reading.ts';

/**
 * A line of the file at `telemetryPath`: one reading, as the envelope will carry it. Numbers are text with the digits of the source; a
 * decimal comma and separators of thousands have become JSON number text.
 */
export const telemetryRow = z.strictObject({
  /** Row of the source that it comes from, from 0, of data rows alone. */
  row: z.number().int().nonnegative(),
  /** Column of the source that the value stands in, from 0: one row may hold many readings. */
  column: z.number().int().nonnegative(),
  sensorId: z.string().min(1).max(128),
  /** Epoch seconds, JSON number text, exact. */
  eventTime: z.string(),
  /** JSON number text, exact. */
  value: z.string(),
  /** Empty: nothing tells. */
  unit: z.string().max(128),
  aspect: z.enum(TEMPORAL_ASPECTS),
});
export type TelemetryRow = z.output<typeof telemetryRow>;
