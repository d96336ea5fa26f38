import { z } from 'zod';

const count = z.number().int().nonnegative();
export const COMTRADE_DATA_TYPES = ['ascii', 'binary', 'binary32', 'float32'] as const;

/** What a configuration of COMTRADE (IEC 60255-24) says. */
export const comtradeConfiguration = z
  .object({
    revision: z.union([z.literal(1991), z.literal(1999), z.literal(2013)]),
    station: z.string(),
    device: z.string(),
    analogs: count,
    digitals: count,
    dataType: z.enum(COMTRADE_DATA_TYPES).exactOptional(),
    lineFrequency: z.string(),
    rates: z.array(z.object({ hertz: z.string(), endSample: count })).readonly(),
    /** Number of the last sample. */
    samples: count,
    /** As they stand there: which of day and month comes first depends on the revision. */
    start: z.string().exactOptional(),
    trigger: z.string().exactOptional(),
    recordBytes: count.exactOptional(),
    channels: z.array(z.object({ name: z.string(), phase: z.string(), unit: z.string() })).readonly(),
    digitalNames: z.array(z.string()).readonly(),
  })
  .readonly();
export type ComtradeConfiguration = z.output<typeof comtradeConfiguration>;

/** What the data alone say. */
export const comtradeData = z
  .object({
    /** `binary`: any of the three types, which only the configuration tells apart. */
    type: z.enum(['ascii', 'binary']),
    /** Of ASCII: fields of a line; of binary: bytes of a record. */
    width: count,
    /** Whole samples, of ASCII those in the sample that was looked at. */
    samples: count,
    isWhole: z.boolean(),
  })
  .readonly();
export type ComtradeData = z.output<typeof comtradeData>;

/** Whether data may be what a configuration describes. Names are no part of it: they were lost or changed on many shares. */
export function belongTogether(configuration: ComtradeConfiguration, data: ComtradeData): boolean {
  const { dataType, samples, analogs, digitals, recordBytes } = configuration;
  if (dataType === 'ascii') {
    return (
      data.type === 'ascii' &&
      data.width === 2 + analogs + digitals &&
      (!data.isWhole || samples === 0 || data.samples === samples)
    );
  }
  return (
    dataType !== undefined &&
    data.type === 'binary' &&
    data.width === recordBytes &&
    (samples === 0 || data.samples === samples)
  );
}
