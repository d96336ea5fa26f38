import { z } from 'zod';
import { GridError } from './errors.ts';
import { escapePartitionValue, eventDay, partitionSegment } from './partition-path.ts';
import { TEMPORAL_ASPECTS, type Reading } from './reading.ts';
import { SWITCHABLE_SINKS, type SwitchableSink } from './sinks.ts';

/** What may stand in braces in a partition path template. */
const PLACEHOLDERS = {
  sensor_id: (reading: Reading) => escapePartitionValue(reading.sensorId),
  unit: (reading: Reading) => escapePartitionValue(reading.unit),
  temporal_aspect: (reading: Reading) => reading.aspect,
  event_day: (reading: Reading) => eventDay(reading.eventTimeMs),
  event_month: (reading: Reading) => eventDay(reading.eventTimeMs).slice(0, 7),
  event_year: (reading: Reading) => eventDay(reading.eventTimeMs).slice(0, 4),
} as const;
type Placeholder = keyof typeof PLACEHOLDERS;

const placeholderNames = Object.keys(PLACEHOLDERS) as Placeholder[];

/** With segments of at most 255 bytes each, far below the 8,000 characters that HDFS takes for a path. */
const MAX_SEGMENTS = 16;
const MAX_TEMPLATE_CHARACTERS = 1_000;

const pathTemplate = z
  .string()
  .max(MAX_TEMPLATE_CHARACTERS)
  .regex(/^[^/]+(?:\/[^/]+)*$/, 'must be a relative path such as "dt={event_day}"')
  .refine((text) => text.split('/').every((segment) => !/^[._]/.test(segment)), {
    // Hive and the batch layer pass over such directories, so readings in them would be lost to every query.
    message: 'must have no directory that begins with "." or "_"',
  })
  .refine((text) => [...text.matchAll(/\{([^}]*)\}/g)].every((match) => isPlaceholder(match[1] ?? '')), {
    message: `may hold in braces only: ${placeholderNames.join(', ')}`,
  })
  .refine((text) => text.split('/').length <= MAX_SEGMENTS, {
    message: `must have at most ${MAX_SEGMENTS} directories`,
  })
  .refine((text) => !/%(?![0-9A-Fa-f]{2})/.test(text), {
    message: 'may hold % only with two hexadecimal digits behind it, as Hive writes escapes',
  })
  .refine((text) => /^[\w=.\-%{}/]+$/.test(text) && !/[{}]/.test(text.replace(/\{[^{}]*\}/g, '')), {
    message: 'may hold letters, digits, and = . - _ % beside its placeholders',
  });

const sensorSelector = z.union([z.number().int().nonnegative().transform(String), z.string().min(1).max(128)]);

/** Which sinks take readings: all that are not switched off. */
type SinkSwitches = Readonly<Record<SwitchableSink, boolean>>;

const sinksSchema = z.partialRecord(z.enum(SWITCHABLE_SINKS), z.boolean()).transform((named): SinkSwitches => {
  const all = SWITCHABLE_SINKS.map((name) => [name, named[name] ?? true] as const);
  return Object.fromEntries(all) as SinkSwitches;
});

const topicName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be a Kafka topic name')
  .refine((name) => name !== '.' && name !== '..', 'must be a Kafka topic name');

const DEFAULT_PATH = 'dt={event_day}';

/** Which readings are meant: of these sensors, units and aspects. */
export const selectorSchema = z
  .strictObject({
    sensorIds: z.array(sensorSelector).min(1).optional(),
    sensorIdRanges: z
      .array(z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]))
      .min(1)
      .refine((ranges) => ranges.every(([from, to]) => from <= to), 'must have ranges [from, to] with from ≤ to')
      .optional(),
    units: z.array(z.string()).min(1).optional(),
    aspects: z.array(z.enum(TEMPORAL_ASPECTS)).min(1).optional(),
  })
  .refine((match) => Object.values(match).some((value) => value !== undefined), {
    message: 'must name at least one of sensorIds, sensorIdRanges, units, aspects',
  });
export type Selector = z.output<typeof selectorSchema>;

const routeSchema = z.strictObject({
  name: z.string().min(1).max(100),
  match: selectorSchema,
  hdfsPath: pathTemplate.default(DEFAULT_PATH),
  topic: topicName.optional(),
  sinks: sinksSchema.prefault({}),
});

const routesFileSchema = z
  .strictObject({
    $comment: z.string().optional(),
    default: z
      .strictObject({ hdfsPath: pathTemplate.default(DEFAULT_PATH), sinks: sinksSchema.prefault({}) })
      .prefault({}),
    routes: z.array(routeSchema).max(10_000).default([]),
  })
  .refine((file) => new Set(file.routes.map((route) => route.name)).size === file.routes.length, {
    message: 'must give each route a name of its own',
    path: ['routes'],
  });

/** A checked routes file. */
export type RoutesFile = z.output<typeof routesFileSchema>;
type RouteDefinition = z.output<typeof routeSchema>;

/** Where a reading goes. */
export interface Route {
  readonly name: string;
  /** False for the default route: no route of the file names this sensor, unit or aspect. */
  readonly matched: boolean;
  /** Topic that gets a copy of the record, when the route names one. */
  readonly topic: string | undefined;
  readonly sinks: SinkSwitches;
  /** The HDFS partition path of a reading on this route, such as `dt=2026-03-01`. */
  readonly hdfsPath: (reading: Reading) => string;
}

/** The routes in force. Immutable: a changed file makes a new table. */
export interface RouteTable {
  /** The first route that matches, in the file's order, else the default. */
  routeOf(reading: Reading): Route;
  /** Every extra topic that a route names. */
  readonly topics: readonly string[];
  readonly routeCount: number;
}

/**
 * Checks what a routes file holds, parsed, and makes the table of it.
 *
 * @param name what to call it in messages, such as its path.
 * @throws GridError `invalid-routes` with a sentence per fault.
 */
export function parseRoutes(json: unknown, name: string): RouteTable {
  const parsed = routesFileSchema.safeParse(json);
  if (parsed.success) return createRouteTable(parsed.data);
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new GridError('invalid-routes', `Reading the routes file ${name}: ${faults.join('; ')}. Correct the file.`);
}

/** How many (sensor, unit, aspect) combinations remember their route before all are forgotten again. */
const REMEMBERED_ROUTES = 100_000;

/** Makes the table of a checked file. Matching is remembered per sensor, so its cost does not grow with the routes. */
export function createRouteTable(file: RoutesFile): RouteTable {
  const candidates = file.routes.map((definition) => ({
    matches: matcher(definition.match),
    route: toRoute(definition, true),
  }));
  const fallback = toRoute({ name: 'default', ...file.default, topic: undefined }, false);
  if (candidates.length === 0) return { routeOf: () => fallback, topics: [], routeCount: 0 };

  const remembered = new Map<string, Route>();
  return {
    routeOf(reading) {
      const key = `${reading.aspect}\u0000${reading.unit}\u0000${reading.sensorId}`;
      let route = remembered.get(key);
      if (route === undefined) {
        route = candidates.find((candidate) => candidate.matches(reading))?.route ?? fallback;
        if (remembered.size >= REMEMBERED_ROUTES) remembered.clear();
        remembered.set(key, route);
      }
      return route;
    },
    topics: [...new Set(file.routes.flatMap((definition) => definition.topic ?? []))],
    routeCount: candidates.length,
  };
}

/** Whether a reading is meant. */
export function matcher(match: Selector): (reading: Pick<Reading, 'sensorId' | 'unit' | 'aspect'>) => boolean {
  const ids = match.sensorIds && new Set(match.sensorIds);
  const units = match.units && new Set(match.units);
  const aspects = match.aspects && new Set<string>(match.aspects);
  const ranges = match.sensorIdRanges;
  const matchesId = (sensorId: string): boolean => {
    if (ids === undefined && ranges === undefined) return true;
    if (ids?.has(sensorId) === true) return true;
    if (ranges === undefined || !/^\d{1,15}$/.test(sensorId)) return false;
    const id = Number(sensorId);
    return ranges.some(([from, to]) => from <= id && id <= to);
  };
  return (reading) =>
    matchesId(reading.sensorId) &&
    (units === undefined || units.has(reading.unit)) &&
    (aspects === undefined || aspects.has(reading.aspect));
}

function toRoute(
  definition: Pick<RouteDefinition, 'name' | 'hdfsPath' | 'sinks'> & { topic?: string | undefined },
  matched: boolean,
): Route {
  return {
    name: definition.name,
    matched,
    topic: definition.topic,
    sinks: definition.sinks,
    hdfsPath: compileTemplate(definition.hdfsPath),
  };
}

/** The path of a reading by a template, each directory's name one that HDFS takes and readers see ({@link partitionSegment}). */
function compileTemplate(template: string): (reading: Reading) => string {
  const segments = template.split('/').map(compileSegment);
  const [only] = segments;
  const path =
    segments.length === 1 && only !== undefined
      ? only
      : (reading: Reading) => segments.map((segment) => segment(reading)).join('/');
  const names = [...template.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  return names.every((name) => name.startsWith('event_')) ? rememberedOfDay(path) : path;
}

function compileSegment(segment: string): (reading: Reading) => string {
  const parts = segment.split(/\{([^}]*)\}/g).map((part, index) => {
    if (index % 2 === 0 || !isPlaceholder(part)) return () => part;
    return PLACEHOLDERS[part];
  });
  return (reading) => partitionSegment(parts.reduce((text, part) => text + part(reading), ''));
}

/** Neighbouring readings mostly share their event day, and then the very same text. */
function rememberedOfDay(path: (reading: Reading) => string): (reading: Reading) => string {
  let last: { readonly day: string; readonly path: string } | undefined;
  return (reading) => {
    const day = eventDay(reading.eventTimeMs);
    if (last?.day !== day) last = { day, path: path(reading) };
    return last.path;
  };
}

function isPlaceholder(name: string): name is Placeholder {
  return Object.hasOwn(PLACEHOLDERS, name);
}
