/** How numbers are written in a file. */
export interface NumberNotation {
  readonly decimal: '.' | ',';
  /** What stands between groups of three digits; empty for nothing. */
  readonly thousands: string;
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * A cell as JSON number text with the very digits that the source wrote. Changed is only what JSON does not allow: the
 * decimal comma becomes a point, group separators, a plus sign and leading zeros go, and a zero is put where digits
 * are missing beside the point.
 *
 * @returns undefined when the cell is no number, or beyond what a double can hold.
 */
export function numberText(cell: string, notation: NumberNotation): string | undefined {
  if (notation.decimal === '.' && JSON_NUMBER.test(cell)) return finite(cell);
  const trimmed = cell.trim();
  const ungrouped = notation.thousands === '' ? trimmed : withoutGroups(trimmed, notation);
  if (ungrouped === undefined) return undefined;
  const match = (notation.decimal === ',' ? COMMA_NUMBER : POINT_NUMBER).exec(ungrouped);
  if (match === null) return undefined;
  const [, sign = '', integer = '', fraction = '', exponent = ''] = match;
  if (integer === '' && fraction === '') return undefined;
  const whole = integer.replace(/^0+(?=\d)/, '');
  return finite(
    `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}${exponent}`,
  );
}

const POINT_NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/;
const COMMA_NUMBER = /^([+-]?)(\d*)(?:,(\d*))?([eE][+-]?\d+)?$/;

/** Group separators taken out, if they stand where groups end; a separator elsewhere is more likely a decimal sign. */
function withoutGroups(text: string, { decimal, thousands }: NumberNotation): string | undefined {
  if (thousands === decimal || !text.includes(thousands)) return text;
  const pointAt = text.indexOf(decimal);
  const integer = pointAt < 0 ? text : text.slice(0, pointAt);
  const groups = integer.split(thousands);
  const wellGrouped = groups.every((group, index) => (index === 0 ? /^[+-]?\d{1,3}$/ : /^\d{3}$/).test(group));
  return wellGrouped ? groups.join('') + (pointAt < 0 ? '' : text.slice(pointAt)) : undefined;
}

function finite(text: string): string | undefined {
  return Number.isFinite(Number(text)) ? text : undefined;
}
