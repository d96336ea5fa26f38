import { createHash } from 'node:crypto';
import { storableText } from '../storable-text.ts';

/** Characters of a unit that is part of a key as it is. */
const MOST_CHARACTERS = 128;
const KEPT_CHARACTERS = 63;
const ORDINARY = /^[\w%/ .^-]{0,64}$/;

/**
 * A reading's unit as a part of a window's key, which a database has to hold in an index. Units that are accepted now stay as they are; of the endless
 * ones that may lie in Kafka the beginning is kept and a digest of the whole.
 */
export function windowUnit(unit: string): string {
  if (ORDINARY.test(unit)) return unit;
  const text = storableText(unit);
  if (text.length <= MOST_CHARACTERS) return text;
  const digest = createHash('sha256').update(text).digest('hex');
  return `${text.slice(0, KEPT_CHARACTERS).toWellFormed()}…${digest}`;
}
