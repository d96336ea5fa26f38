/** What a quantity of a power grid can be, by unit: generous, so that only what cannot be true lies outside. */
const RANGES: ReadonlyMap<string, readonly [min: number, max: number]> = new Map([
  ['Hz', [0, 1_000]],
  ['mHz', [-1_000_000, 1_000_000]],
  ['V', [-3e6, 3e6]],
  ['kV', [-3_000, 3_000]],
  ['A', [-1e6, 1e6]],
  ['kA', [-1_000, 1_000]],
  ['W', [-1e11, 1e11]],
  ['kW', [-1e8, 1e8]],
  ['MW', [-1e5, 1e5]],
  ['GW', [-1e3, 1e3]],
  ['var', [-1e11, 1e11]],
  ['kvar', [-1e8, 1e8]],
  ['Mvar', [-1e5, 1e5]],
  ['MVAr', [-1e5, 1e5]],
  ['MVA', [-1e5, 1e5]],
  ['kVA', [-1e8, 1e8]],
  ['°C', [-273.15, 5_000]],
  ['K', [0, 6_000]],
  ['m/s', [-200, 200]],
  ['W/m²', [-100, 3_000]],
  ['W/m2', [-100, 3_000]],
  ['hPa', [0, 2_000]],
]);

/** Whether a value can be true, as far as its unit tells; what no rule is known for can. */
export function isPhysical(value: number, unit: string): boolean {
  if (!Number.isFinite(value)) return false;
  const range = RANGES.get(unit);
  return range === undefined || (value >= range[0] && value <= range[1]);
}
