/** Measured as it happened, or predicted at the edge of the grid for a time to come. */
export const TEMPORAL_ASPECTS = ['real_time', 'edge_prediction'] as const;
export type TemporalAspect = (typeof TEMPORAL_ASPECTS)[number];

/**
 * One reading, as an envelope carries it. Numbers are kept as the text that the source wrote; `eventTimeMs` is derived.
 */
export interface Reading {
  /** Sensor id as text; the number 6 and the string "6" name the same sensor. 1–128 characters. */
  readonly sensorId: string;
  /** The measured value in `unit`, as JSON number text. */
  readonly modality: string;
  readonly unit: string;
  readonly aspect: TemporalAspect;
  /** Identifies the reading: two records with the same one are the same reading sent twice. */
  readonly correlationId: string;
  /** Event time in epoch seconds, as JSON number text. */
  readonly createdAt: string;
  /** Event time in whole epoch milliseconds, rounded towards the past. */
  readonly eventTimeMs: number;
  readonly schemaVersion: number;
}
