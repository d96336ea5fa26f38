import { z } from 'zod';

/** How the moments of a table are to be understood. */
export const ZONE_KINDS = ['in-text', 'utc', 'offset', 'unknown'] as const;

const count = z.number().int().nonnegative();

/** What `facts.telemetry` of a verdict holds: how a table tells readings, and how good they are. */
export const telemetryFacts = z
  .object({
    /** `wide`: a column for each sensor; `long`: a column that names the sensor. */
    layout: z.enum(['wide', 'long']),
    /** Columns from 0: one, or date and time of day. */
    timeColumns: z.array(count).readonly(),
    timeFormat: z.string(),
    /** `unknown`: the text names no zone; its moments were taken for UTC, so nothing of it should be replayed unasked. */
    zone: z.enum(ZONE_KINDS),
    sensorColumn: count.exactOptional(),
    /** Sensor of the whole file, and where that was found. */
    fileSensor: z.object({ id: z.string(), from: z.string() }).readonly().exactOptional(),
    sensors: count,
    units: z.array(z.string()).readonly(),
    readings: count,
    rows: count,
    /** Rows, or values in them, of which no reading could be made. */
    unreadable: count,
    firstMs: z.number().exactOptional(),
    lastMs: z.number().exactOptional(),
    /** The most frequent time between readings of a sensor, seconds. */
    stepSeconds: z.number().exactOptional(),
    quality: z
      .object({
        /** Steps longer than one and a half usual ones. */
        gaps: count,
        /** Readings at the moment of the one before. */
        duplicates: count,
        /** Readings older than the one before. */
        nonMonotonic: count,
        /** Readings that only repeat a value more than ten times in a row. */
        stuck: count,
        /** Readings more than eight standard deviations from the mean so far. */
        outliers: count,
        /** Cells without a value. */
        missing: count,
      })
      .readonly(),
    /** Rows were left out, since there are too many: the file says more than the rows. */
    isTruncated: z.boolean(),
  })
  .readonly();
export type TelemetryFacts = z.output<typeof telemetryFacts>;
