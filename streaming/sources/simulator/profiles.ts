/**
 * What simulated sensors measure. Each profile is a shape over time, common to all sensors of its kind, around which a sensor's own
 * scale and noise vary it. The shapes are qualitative: daily and weekly demand with its two peaks, the sun's elevation at
 * a mid-latitude, a turbine's power curve, the narrow bands of voltage and frequency.
 */
export interface Profile {
  readonly kind: string;
  readonly unit: string;
  /** Share of the fleet. */
  readonly share: number;
  /** A sensor's scale from a random number in [0, 1): its peak, rating or nominal value. */
  readonly scale: (random: number) => number;
  /** Digits after the decimal point that a meter of this kind shows. */
  readonly decimals: number;
  /** How long its noise remembers, seconds. */
  readonly noiseMemorySeconds: number;
  /** The value at a time, `noise` having variance 1. */
  readonly value: (timeSeconds: number, scale: number, noise: number) => number;
}

const DAY_SECONDS = 86_400;
const YEAR_DAYS = 365.2425;
const TURN = 2 * Math.PI;
const SIN_LATITUDE = Math.sin((51 / 360) * TURN);
const COS_LATITUDE = Math.cos((51 / 360) * TURN);

const logarithmic = (from: number, to: number) => (random: number) => from * (to / from) ** random;
const oneOf =
  (...values: readonly number[]) =>
  (random: number) =>
    values[Math.floor(random * values.length)] ?? 0;

/** Demand between about 0.35 and 1.1: a night valley, peaks in the morning and the evening, quieter weekends, cold winters. */
export function demand(timeSeconds: number): number {
  const days = timeSeconds / DAY_SECONDS;
  const hourTurn = (days - Math.floor(days)) * TURN;
  const daily = 0.68 - 0.2 * Math.cos(hourTurn - TURN / 6) - 0.12 * Math.cos(2 * hourTurn - TURN / 12);
  // 1970-01-01 was a Thursday: days 2 and 3 of its week were the weekend.
  const dayOfWeek = Math.floor(days) % 7;
  const weekly = dayOfWeek === 2 ? 0.86 : dayOfWeek === 3 ? 0.8 : 1;
  return daily * weekly * (1 + 0.12 * Math.cos(((days % YEAR_DAYS) / YEAR_DAYS) * TURN));
}

/** Sine of the sun's elevation at 51° north and 0° east, negative at night (Cooper's formula for the declination, 1969). */
export function sunElevation(timeSeconds: number): number {
  const days = timeSeconds / DAY_SECONDS;
  const declination = 0.4093 * Math.sin((((days % YEAR_DAYS) - 80) / YEAR_DAYS) * TURN);
  const hourAngle = (days - Math.floor(days) - 0.5) * TURN;
  return SIN_LATITUDE * Math.sin(declination) + COS_LATITUDE * Math.cos(declination) * Math.cos(hourAngle);
}

/** Share of its rating that a turbine gives at a wind speed in m/s: cubic from cut-in to rated speed, none beyond cut-out. */
export function turbineShare(speed: number): number {
  const [cutIn, rated, cutOut] = [3, 12, 25];
  if (speed < cutIn || speed > cutOut) return 0;
  return speed >= rated ? 1 : (speed ** 3 - cutIn ** 3) / (rated ** 3 - cutIn ** 3);
}

/** Every kind of sensor in a fleet; the shares add up to 1. */
export const PROFILES: readonly Profile[] = [
  {
    kind: 'load',
    unit: 'MW',
    share: 0.35,
    scale: logarithmic(0.2, 400),
    decimals: 4,
    noiseMemorySeconds: 300,
    value: (time, peak, noise) => Math.max(0, peak * demand(time) * (1 + 0.03 * noise)),
  },
  {
    kind: 'solar',
    unit: 'kW',
    share: 0.15,
    scale: logarithmic(3, 5_000),
    decimals: 3,
    noiseMemorySeconds: 600,
    value: (time, rating, noise) => {
      const elevation = sunElevation(time);
      if (elevation <= 0) return 0;
      const throughClouds = Math.min(1, Math.max(0.08, 0.75 + 0.3 * noise));
      return rating * elevation ** 1.15 * throughClouds;
    },
  },
  {
    kind: 'wind',
    unit: 'MW',
    share: 0.1,
    scale: logarithmic(0.8, 12),
    decimals: 4,
    noiseMemorySeconds: 3_600,
    value: (time, rating, noise) =>
      rating * turbineShare(Math.max(0, 8 + 1.2 * Math.sin((time / DAY_SECONDS) * TURN) + 3.2 * noise)),
  },
  {
    kind: 'voltage',
    unit: 'V',
    share: 0.2,
    scale: oneOf(230, 230, 400, 10_000, 20_000, 110_000),
    decimals: 2,
    noiseMemorySeconds: 60,
    value: (time, nominal, noise) => nominal * (1.012 - 0.014 * demand(time) + 0.006 * noise),
  },
  {
    kind: 'frequency',
    unit: 'Hz',
    share: 0.05,
    // One synchronous grid has one frequency; a sensor's scale is its own small error in hertz.
    scale: (random) => (random - 0.5) * 0.002,
    decimals: 4,
    noiseMemorySeconds: 2,
    value: (time, error, noise) =>
      50 + 0.018 * Math.sin((time / 311) * TURN) + 0.009 * Math.sin((time / 37) * TURN) + error + 0.001 * noise,
  },
  {
    kind: 'current',
    unit: 'A',
    share: 0.15,
    scale: logarithmic(20, 1_200),
    decimals: 2,
    noiseMemorySeconds: 120,
    value: (time, rating, noise) => Math.max(0, rating * demand(time) * (1 + 0.05 * noise)),
  },
];

/** The profile that a random number in [0, 1) falls to, by the shares. */
export function profileIndex(random: number): number {
  let left = random;
  for (const [index, { share }] of PROFILES.entries()) {
    left -= share;
    if (left < 0) return index;
  }
  return PROFILES.length - 1;
}
