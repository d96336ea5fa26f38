import { parse as parseExactly } from 'lossless-json';
import type { NewDocument } from '../../../connectors/mongodb/connection.ts';
import { exactFraction, exactNumber } from '../../../connectors/mongodb/exact-number.ts';
import { memberTexts } from '../../../grid/json-text.ts';
import type { Reading } from '../../../grid/reading.ts';

/** The envelope's own fields; anything else in it is an extra one. */
const ENVELOPE_FIELDS = new Set(['payload', 'correlation_id', 'created_at', 'schema_version']);
/** Fields of the document that no extra one may take. */
const RESERVED_FIELDS = new Set(['_id', '_raw']);
/** MongoDB refuses documents of more than 100 levels. */
const MAX_DEPTH = 50;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The document of an envelope: its fields at top level, with
 *
 * - `payload` as the original string; a payload that is a nested object as its JSON text, unchanged;
 * - `created_at` as a number, exactly (see `exactNumber`);
 * - extra fields as they are, their numbers exact too;
 * - `_raw`, the envelope's JSON text, only when something in it cannot be a MongoDB field as it stands (a name that is
 *   empty, begins with `$`, holds a dot or NUL, or is `_id`; more than 50 levels; half a surrogate pair): such extra
 *   fields are left out.
 *
 * @param id `<topic>+<partition>+<offset>`.
 * @param value the record's value, which `reading` was decoded from.
 */
export function envelopeDocument(id: string, value: Buffer, reading: Reading): NewDocument {
  const text = value.toString('utf8');
  const envelope = JSON.parse(text) as Record<string, unknown>;
  const original = envelope['payload'];
  const payload = typeof original === 'string' ? original : (memberTexts(text).get('payload') ?? '');
  const document = {
    _id: id,
    payload,
    correlation_id: reading.correlationId,
    created_at: exactFraction(reading.createdAt),
    schema_version: reading.schemaVersion,
  };
  const names = Object.keys(envelope);
  const exact = !LONE_SURROGATE.test(payload) && !LONE_SURROGATE.test(reading.correlationId);
  // The four fields are there, or it would be no reading.
  if (names.length === ENVELOPE_FIELDS.size && exact) return document;
  return { ...document, ...extraFields(text, envelope, names, exact) };
}

function extraFields(
  text: string,
  envelope: Readonly<Record<string, unknown>>,
  names: readonly string[],
  exactSoFar: boolean,
): Record<string, unknown> {
  const texts = memberTexts(text);
  const extra: Record<string, unknown> = {};
  let exact = exactSoFar;
  for (const name of names) {
    if (ENVELOPE_FIELDS.has(name)) continue;
    const stored =
      isFieldName(name) && !RESERVED_FIELDS.has(name) && isStorable(envelope[name], 1)
        ? parseStorable(texts.get(name) ?? '')
        : undefined;
    if (stored === undefined) exact = false;
    else extra[name] = stored.value;
  }
  return exact ? extra : { ...extra, _raw: text };
}

/** Undefined for what the exact parser refuses though it is valid JSON, such as a name given twice. */
function parseStorable(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parseExactly(text, undefined, exactNumber) };
  } catch {
    return undefined;
  }
}

function isFieldName(name: string): boolean {
  return (
    name !== '' && name !== '__proto__' && !name.startsWith('$') && !/[.\0]/.test(name) && !LONE_SURROGATE.test(name)
  );
}

function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !LONE_SURROGATE.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => isStorable(element, depth + 1));
  return Object.entries(value).every(([name, member]) => isFieldName(name) && isStorable(member, depth + 1));
}
