import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../../grid/reading.ts';
import { readJsonFile } from '../../../runtime/json-file.ts';
import { checkTimePattern } from './series-time.ts';
import { isTimeZone } from '../../../grid/time-zone.ts';

const oneCharacter = z
  .string()
  .length(1, 'must be one character')
  .regex(/^[^\r\n\ud800-\udfff]$/, 'must be one character, and no line break');
const unit = z.string().max(64);
const patterns = z.array(z.string().min(1)).min(1);

const time = z.strictObject({
  /** One column, or several whose texts are joined by a space (a date and a time of day). */
  column: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  format: z
    .string()
    .refine(
      checkTimePattern,
      'must be iso, epoch-seconds, epoch-milliseconds, or a pattern of YYYY, MM, DD, HH, mm, ss and SSS with a year, month and day',
    )
    .prefault('iso'),
  timeZone: z
    .string()
    .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin, UTC, or a fixed offset such as +01:00')
    .prefault('UTC'),
  /** What a local time means that occurs twice when the clocks are set back. */
  overlap: z.enum(['by-order', 'earlier', 'later']).prefault('by-order'),
});

const common = {
  /** Relative to the directory of the source. A name that ends in .gz is decompressed. */
  path: z.string().min(1),
  delimiter: oneCharacter.prefault(','),
  quote: z.union([oneCharacter, z.literal('')]).prefault('"'),
  encoding: z.enum(['utf-8', 'latin1']).prefault('utf-8'),
  /** When a last line without a line break is taken for a whole one; see {@link LastLineRule}. */
  lastLine: z.enum(['settled', 'complete', 'held']).prefault('settled'),
  /** Lines before the header line. */
  skipLines: z.int().min(0).max(1_000).prefault(0),
  decimal: z.enum(['.', ',']).prefault('.'),
  thousands: z.enum(['', '.', ',', ' ', "'"]).prefault(''),
  time,
  /** Cells that mean: not measured. */
  missing: z.array(z.string()).prefault(['']),
  aspect: z.enum(TEMPORAL_ASPECTS).prefault('real_time'),
};

const wide = z.strictObject({
  layout: z.literal('wide'),
  ...common,
  /** Sensor id of a column; {column} and {file} (its name without folders and extensions) are replaced. */
  id: z.string().includes('{column}', 'must contain {column}, or all columns would be one sensor').prefault('{column}'),
  unit,
  /** Units of columns by pattern, before `unit`. */
  units: z.record(z.string().min(1), unit).prefault({}),
  /** Columns that are sensors, by pattern with `*`; all but the time by default. */
  include: patterns.prefault(['*']),
  exclude: z.array(z.string().min(1)).prefault([]),
});

const long = z
  .strictObject({
    layout: z.literal('long'),
    ...common,
    sensorColumn: z.string().min(1),
    valueColumn: z.string().min(1),
    unitColumn: z.string().min(1).optional(),
    unit: unit.optional(),
    /** Sensor id of a row; {sensor} and {file} are replaced. */
    id: z.string().includes('{sensor}', 'must contain {sensor}, or all rows would be one sensor').prefault('{sensor}'),
    /** Sensors that are replayed, by pattern with `*`. */
    include: patterns.prefault(['*']),
    exclude: z.array(z.string().min(1)).prefault([]),
  })
  .refine((file) => (file.unit === undefined) !== (file.unitColumn === undefined), {
    message: 'must have either unit or unitColumn',
  });

const fileMapping = z.discriminatedUnion('layout', [wide, long]);

const mapping = z.strictObject({
  /** Name of the data set; part of every correlation id, so a copy elsewhere gives the same readings. */
  dataset: z.string().regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits, dots, dashes and underscores'),
  comment: z.string().optional(),
  /** What all files have in common; a file's own settings win. */
  defaults: z.record(z.string(), z.unknown()).prefault({}),
  files: z.array(z.record(z.string(), z.unknown())).min(1, 'must name at least one file'),
});

export type FileMapping = z.output<typeof fileMapping>;

/** What a mapping file says: which columns of which tables are which sensors. */
export interface Mapping {
  readonly dataset: string;
  readonly files: readonly FileMapping[];
}

/**
 * Checks the content of a mapping file; see `docs/sources.md` for its fields.
 *
 * @param origin where it is from, for messages.
 * @throws GridError `invalid-configuration`: one sentence per fault, each with its place.
 */
export function parseMapping(json: unknown, origin: string): Mapping {
  const outer = mapping.safeParse(json);
  if (!outer.success) throw invalid(origin, sentences(outer.error, ''));
  const { dataset, defaults, files } = outer.data;
  const faults: string[] = [];
  const parsed: FileMapping[] = [];
  for (const [index, file] of files.entries()) {
    const result = fileMapping.safeParse({
      ...defaults,
      ...file,
      time: { ...asObject(defaults['time']), ...asObject(file['time']) },
    });
    if (result.success) {
      parsed.push(result.data);
      if (result.data.thousands === result.data.decimal)
        faults.push(`files.${index}.thousands: must differ from decimal`);
      if (result.data.quote === result.data.delimiter) faults.push(`files.${index}.quote: must differ from delimiter`);
    } else faults.push(...sentences(result.error, `files.${index}.`));
  }
  const paths = parsed.map(({ path }) => path);
  for (const path of new Set(paths.filter((name, index) => paths.indexOf(name) !== index))) {
    faults.push(`files: ${path} is named twice`);
  }
  if (faults.length > 0) throw invalid(origin, faults);
  return { dataset, files: parsed };
}

/** {@link parseMapping} of a file. */
export async function readMapping(path: string): Promise<Mapping> {
  const json = await readJsonFile(path, {
    code: 'invalid-configuration',
    attempt: `Reading the mapping ${path} (FILE_SOURCE_MAPPING)`,
    advice: 'Correct it; its fields are listed in docs/sources.md.',
  });
  return parseMapping(json, path);
}

/** Whether a name fits one of the patterns, in which `*` stands for any text. */
export function matchesAny(name: string, globs: readonly string[]): boolean {
  return globs.some((glob) => matches(name, glob));
}

/** Part after part at its first place: a regular expression would try all places of all parts. */
function matches(name: string, glob: string): boolean {
  const parts = glob.split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return name === glob;
  const last = parts[parts.length - 1] ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function sentences(error: z.ZodError, place: string): string[] {
  return error.issues.map((issue) => `${place}${issue.path.join('.')}: ${issue.message}`);
}

function invalid(origin: string, faults: readonly string[]): GridError {
  return new GridError(
    'invalid-configuration',
    `Reading the mapping ${origin}: ${faults.join('; ')}. Correct it; its fields are listed in docs/sources.md.`,
  );
}
