import { z } from 'zod';
import { compareDecimals, decimalParts } from '../decimal-text.ts';
import { GridError } from '../errors.ts';
import { matcher, selectorSchema } from '../route.ts';
import type { TemporalAspect } from '../reading.ts';

/** How bad it is, from the least to the worst. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

const DAY_SECONDS = 86_400;
const LONGEST_SECONDS = 366 * DAY_SECONDS;
const MOST_RULES = 1_000;
/** Values that may stand still, of one rule. */
const MOST_EXCEPTIONS = 100;
const MOST_DECIMAL_CHARACTERS = 64;

/** A limit, as text: its very digits decide. */
const decimal = z
  .union([z.number().transform(String), z.string().max(MOST_DECIMAL_CHARACTERS)])
  .refine((text) => decimalParts(text) !== undefined, 'must be a decimal number, such as 50.2 or "50.2"');
const positive = decimal.refine(
  (text) => decimalParts(text) === undefined || compareDecimals(text, '0') >= 0,
  'must not be negative',
);
const seconds = (least: number) => z.number().int().min(least).max(LONGEST_SECONDS);

/** Raised beyond `raise`; cleared only at `clear` or short of it. */
const limit = (amount: typeof decimal) =>
  z.strictObject({ raise: amount, clear: amount.optional() }).transform(({ raise, clear }) => ({
    raise,
    clear: clear ?? raise,
  }));

const isOrdered = (low: string, high: string): boolean =>
  decimalParts(low) === undefined || decimalParts(high) === undefined || compareDecimals(low, high) <= 0;
const upperLimit = limit(decimal).refine(({ raise, clear }) => isOrdered(clear, raise), 'must clear at or below raise');
const lowerLimit = limit(decimal).refine(({ raise, clear }) => isOrdered(raise, clear), 'must clear at or above raise');
const difference = limit(positive).refine(
  ({ raise, clear }) => isOrdered(clear, raise),
  'must clear at or below raise',
);

const common = {
  id: z.string().regex(/^[\w.-]{1,100}$/, 'must have 1 to 100 letters, digits and . - _'),
  severity: z.enum(SEVERITIES).default('warning'),
  /** All readings, when it is not there. */
  match: selectorSchema.optional(),
  /** Only readings that take one of these routes. */
  routes: z.array(z.string().min(1).max(100)).min(1).optional(),
};
/** How long, by the readings' own time, it has to be so. */
const durations = { forSeconds: seconds(0).default(0), clearForSeconds: seconds(0).default(0) };

const ruleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('stale'),
    times: z.number().int().min(1).max(1_000).default(5),
    leastSeconds: seconds(1).default(60),
    mostSeconds: seconds(1).default(DAY_SECONDS),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('stuck'),
    forSeconds: seconds(1),
    leastReadings: z.number().int().min(2).max(1_000_000).default(3),
    except: z.array(decimal).max(MOST_EXCEPTIONS).default([]),
  }),
  z
    .strictObject({
      ...common,
      ...durations,
      kind: z.literal('out-of-range'),
      above: upperLimit.optional(),
      below: lowerLimit.optional(),
    })
    .refine(({ above, below }) => above !== undefined || below !== undefined, 'must have above, below, or both')
    .refine(
      ({ above, below }) => above === undefined || below === undefined || isOrdered(below.clear, above.clear),
      'must clear below at or under where above clears',
    ),
  z.strictObject({
    ...common,
    ...durations,
    kind: z.literal('rate-of-change'),
    change: difference,
    per: z.enum(['second', 'minute', 'hour']).default('second'),
    withinSeconds: seconds(1).default(3_600),
  }),
  z.strictObject({
    ...common,
    ...durations,
    kind: z.literal('forecast-missed'),
    off: difference,
    of: z.enum(['unit', 'percent']).default('unit'),
    least: positive.default('0'),
    withinSeconds: seconds(1).default(300),
  }),
]);

const rulesFileSchema = z
  .strictObject({ $comment: z.string().optional(), rules: z.array(ruleSchema).max(MOST_RULES) })
  .refine(({ rules }) => new Set(rules.map(({ id }) => id)).size === rules.length, {
    message: 'must give each rule an id of its own',
    path: ['rules'],
  });

export type AlarmRule = z.output<typeof ruleSchema>;
export type AlarmKind = AlarmRule['kind'];
export type RuleOf<Kind extends AlarmKind> = Extract<AlarmRule, { readonly kind: Kind }>;

/** The kinds of rules, in the order of the reference. */
export const ALARM_KINDS = ruleSchema.options.map((option) => option.shape.kind.value);

/** The fields of each kind that are not common to all; for the reference. */
export function fieldsOf(kind: AlarmKind): string[] {
  const option = ruleSchema.options.find(({ shape }) => shape.kind.value === kind);
  return Object.keys(option?.shape ?? {}).filter((name) => name !== 'kind' && !Object.hasOwn(common, name));
}
export const COMMON_FIELDS = Object.keys(common);

/** What rules watch: the readings of one sensor, aspect and unit. */
export interface SeriesName {
  readonly sensorId: string;
  readonly aspect: TemporalAspect;
  readonly unit: string;
}

/** Checked rules. */
export interface AlarmRules {
  readonly all: readonly AlarmRule[];
  /** The rules that watch a series whose readings take a route. */
  of(series: SeriesName, route: string): readonly AlarmRule[];
}

/**
 * Checks what a file of rules holds, parsed.
 *
 * @param name what to call it in messages, such as its path
 * @throws GridError `invalid-configuration` with a sentence per fault
 */
export function parseAlarmRules(json: unknown, name: string): AlarmRules {
  const parsed = rulesFileSchema.safeParse(json);
  if (parsed.success) return alarmRules(parsed.data.rules);
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new GridError(
    'invalid-configuration',
    `Reading the alarm rules ${name}: ${faults.join('; ')}. Correct the file, or set ALARM_RULES to another.`,
  );
}

function alarmRules(rules: readonly AlarmRule[]): AlarmRules {
  const candidates = rules.map((rule) => ({
    rule,
    matches: rule.match === undefined ? () => true : matcher(rule.match),
    routes: rule.routes === undefined ? undefined : new Set(rule.routes),
  }));
  return {
    all: rules,
    of: (series, route) =>
      candidates
        .filter(
          ({ rule, matches, routes }) =>
            matches(series) &&
            (routes === undefined || routes.has(route)) &&
            // What was measured misses a forecast; forecasts do not.
            (rule.kind !== 'forecast-missed' || series.aspect === 'real_time'),
        )
        .map(({ rule }) => rule),
  };
}
