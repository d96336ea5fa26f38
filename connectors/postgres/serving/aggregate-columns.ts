import { SQUARE_SCALE, type Aggregate } from '../../../grid/aggregate/aggregate.ts';
import { decimalText, EXACT_SCALE } from '../../../grid/aggregate/exact-decimal.ts';

/** A column of a window's aggregate: its type in a parameter, what it holds of an aggregate, and how two windows are merged. */
interface AggregateColumn {
  readonly name: string;
  readonly type: 'bigint' | 'numeric' | 'text';
  readonly of: (aggregate: Aggregate) => string | number | null;
  /** The SQL of what `merged` says, of the columns of two rows by their names; `merged` is grid/aggregate's, to which a test holds it. */
  readonly merged: (one: string, other: string) => string;
}

const sum =
  (name: string) =>
  (one: string, other: string): string =>
    `${one}.${name} + ${other}.${name}`;
const earlier =
  (name: string) =>
  (one: string, other: string): string =>
    `CASE WHEN (${other}.first_order, ${other}.first_value) < (${one}.first_order, ${one}.first_value) THEN ${other}.${name} ELSE ${one}.${name} END`;
const later =
  (name: string) =>
  (one: string, other: string): string =>
    `CASE WHEN (${other}.last_order, ${other}.last_value) > (${one}.last_order, ${one}.last_value) THEN ${other}.${name} ELSE ${one}.${name} END`;
const exact = (units: bigint | undefined): string | null =>
  units === undefined ? null : decimalText(units, EXACT_SCALE);

/** The columns of `speed_view` and `batch_view` that hold an aggregate, which is not empty. Their texts compare by bytes (`COLLATE "C"`). */
export const AGGREGATE_COLUMNS: readonly AggregateColumn[] = [
  { name: 'reading_count', type: 'bigint', of: ({ count }) => count, merged: sum('reading_count') },
  { name: 'inexact_count', type: 'bigint', of: ({ inexact }) => inexact, merged: sum('inexact_count') },
  { name: 'unsquared_count', type: 'bigint', of: ({ unsquared }) => unsquared, merged: sum('unsquared_count') },
  { name: 'value_sum', type: 'numeric', of: (aggregate) => exact(aggregate.sum), merged: sum('value_sum') },
  {
    name: 'value_sum_of_squares',
    type: 'numeric',
    of: ({ sumOfSquares }) => decimalText(sumOfSquares, SQUARE_SCALE),
    merged: sum('value_sum_of_squares'),
  },
  // These two pass over NULL.
  {
    name: 'value_min',
    type: 'numeric',
    of: ({ min }) => exact(min),
    merged: (a, b) => `least(${a}.value_min, ${b}.value_min)`,
  },
  {
    name: 'value_max',
    type: 'numeric',
    of: ({ max }) => exact(max),
    merged: (a, b) => `greatest(${a}.value_max, ${b}.value_max)`,
  },
  { name: 'first_order', type: 'text', of: ({ first }) => first?.order ?? null, merged: earlier('first_order') },
  { name: 'first_value', type: 'text', of: ({ first }) => first?.value ?? null, merged: earlier('first_value') },
  { name: 'last_order', type: 'text', of: ({ last }) => last?.order ?? null, merged: later('last_order') },
  { name: 'last_value', type: 'text', of: ({ last }) => last?.value ?? null, merged: later('last_value') },
];

/** An aggregate as a statement gives it: counts as numbers, decimals as exact text. */
export interface AggregateRow {
  readonly reading_count: number;
  readonly inexact_count: number;
  readonly unsquared_count: number;
  readonly value_sum: string;
  readonly value_sum_of_squares: string;
  readonly value_min: string | null;
  readonly value_max: string | null;
  readonly first_order: string;
  readonly first_value: string;
  readonly last_order: string;
  readonly last_value: string;
}
