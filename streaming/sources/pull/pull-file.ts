import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../../grid/reading.ts';
import { readJsonFile } from '../../../runtime/json-file.ts';
import { checkTimePattern } from '../file/series-time.ts';
import { isTimeZone } from '../../../grid/time-zone.ts';
import { parseJsonPath, type JsonPath } from './json-path.ts';

const path = (what: string) =>
  z.string().transform((text, context): JsonPath => {
    const parsed = parseJsonPath(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text)} is no path to ${what}, such as main.temp or list[*]`,
    });
    return z.NEVER;
  });

/** Text with `{path}` in it, each a path below the record, and `{measure}` for the measure's name. */
const template = z
  .string()
  .min(1)
  .transform((text, context): Template => {
    const parts: Template = [];
    for (const [index, part] of text.split(/\{([^{}]*)\}/).entries()) {
      if (index % 2 === 0) {
        if (part !== '') parts.push({ text: part });
      } else if (part === 'measure') {
        parts.push({ measure: true });
      } else {
        const parsed = parseJsonPath(part);
        if (parsed === undefined || part === '') {
          context.addIssue({ code: 'custom', message: `{${part}} is no path, such as {id} or {$.city.id}` });
          return z.NEVER;
        }
        parts.push({ path: parsed });
      }
    }
    return parts;
  });

export type Template = ({ readonly text: string } | { readonly measure: true } | { readonly path: JsonPath })[];

const measure = z
  .strictObject({
    name: z.string().min(1),
    value: path('a value'),
    unit: z.string().optional(),
    unitPath: path('a unit').optional(),
  })
  .refine((value) => (value.unit === undefined) !== (value.unitPath === undefined), 'needs either unit or unitPath');

const source = z.strictObject({
  /** Names the source in logs and metrics, and is part of its readings' correlation ids: do not change it. */
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits, dots, dashes or underscores'),
  url: z.string().min(1),
  method: z.enum(['GET', 'POST']).default('GET'),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  intervalSeconds: z
    .number()
    .min(0.05)
    .max(86_400 * 31),
  /** Polls are moved by up to this share of the interval, so that sources do not all poll at once. */
  jitter: z.number().min(0).max(0.5).default(0.1),
  timeoutSeconds: z.number().min(0.05).max(600).default(10),
  /** How often a failed poll is tried again before the next one. */
  retries: z.number().int().min(0).max(20).default(3),
  maxReplyBytes: z
    .number()
    .int()
    .min(1_024)
    .max(2 ** 28)
    .default(16 * 1_024 * 1_024),
  /** Where the records are: an array's elements, or the one value; the whole reply when empty. */
  records: path('the records').default({ text: '', fromRoot: false, steps: [] }),
  sensorId: template,
  createdAt: z.strictObject({
    path: path('a time'),
    format: z
      .string()
      .refine(
        checkTimePattern,
        'must be epoch-seconds, epoch-milliseconds, iso, or a pattern such as DD.MM.YYYY HH:mm',
      ),
    /** For times without an offset. */
    timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone, or an offset such as +01:00').default('UTC'),
  }),
  temporalAspect: z.enum(TEMPORAL_ASPECTS).default('real_time'),
  measures: z
    .array(measure)
    .min(1)
    .refine(
      (measures) => new Set(measures.map(({ name }) => name)).size === measures.length,
      'must each have a name of its own',
    ),
});

const file = z.strictObject({ sources: z.array(source) }).superRefine(({ sources }, context) => {
  for (const [index, { name }] of sources.entries()) {
    if (sources.findIndex((other) => other.name === name) < index) {
      context.addIssue({ code: 'custom', path: ['sources', index, 'name'], message: `${name} is used twice` });
    }
  }
});

/** A source to be polled, checked, with the environment's values in place. */
export type PullSourceConfig = z.output<typeof source>;

/**
 * Reads the file of sources to be polled. `${NAME}` in a URL, header or body stands for an environment variable, so that
 * keys need not be in the file.
 *
 * @throws GridError `invalid-configuration`: every mistake with its place; an unset variable by its name.
 */
export async function readPullSources(
  filePath: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<PullSourceConfig[]> {
  const attempt = `Reading the sources to poll from ${filePath} (PULL_SOURCES_FILE)`;
  const advice = 'See infra/config/pull-sources.example.json.';
  const parsed = file.safeParse(await readJsonFile(filePath, { code: 'invalid-configuration', attempt, advice }));
  if (!parsed.success) {
    const sentences = parsed.error.issues.map(({ path: place, message }) => `${place.join('.')}: ${message}`);
    throw invalid(`${attempt}: ${sentences.join('; ')}. ${advice}`);
  }
  return parsed.data.sources.map((config) => {
    const fill = (text: string, where: string): string =>
      text.replace(/\$\{([A-Za-z_]\w*)\}/g, (_match, name: string) => {
        const value = environment[name];
        if (value === undefined || value === '') {
          throw invalid(
            `${attempt}: source ${config.name} uses \${${name}} in its ${where}, which is not set. Set it in the environment or in .env.`,
          );
        }
        return value;
      });
    const url = fill(config.url, 'url');
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw invalid(`${attempt}: the url of source ${config.name} is no http:// or https:// URL.`);
    }
    const headers = Object.fromEntries(
      Object.entries(config.headers).map(([name, value]) => [name, fill(value, `header ${name}`)]),
    );
    const refused = requestFault(url, config.method, headers, config.body);
    if (refused !== undefined) throw invalid(`${attempt}: source ${config.name} ${refused}.`);
    return { ...config, url, headers, ...(config.body === undefined ? {} : { body: fill(config.body, 'body') }) };
  });
}

/** Why no such request could ever be sent; not with the values, which may be keys. */
function requestFault(
  url: string,
  method: 'GET' | 'POST',
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): string | undefined {
  const { username, password } = new URL(url);
  if (username !== '' || password !== '')
    return 'has a user or password in its url; send them in the header Authorization';
  if (body !== undefined && method === 'GET') return 'has a body, which a GET does not take; set its method to POST';
  const names = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    if (names.has(name.toLowerCase())) return `names the header ${name} twice`;
    names.add(name.toLowerCase());
    try {
      new Headers([[name, value]]);
    } catch {
      return `has a header ${JSON.stringify(name)} whose name or value cannot be sent (a line break, or a character beyond Latin-1)`;
    }
  }
  return undefined;
}

function invalid(message: string): GridError {
  return new GridError('invalid-configuration', message);
}
