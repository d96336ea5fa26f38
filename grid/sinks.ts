/** What there is to know of a sink without opening it. */
interface SinkFacts {
  /** What its records are: the readings of `TOPIC_INGESTION`, or the text of `TOPIC_UNORGANIZED`. */
  readonly reads: 'readings' | 'text';
  /** Whether a route may switch it off for its readings. */
  readonly switchable: boolean;
  /** Whether it collects records and commits them later; others commit each batch. */
  readonly collects: boolean;
}

/**
 * The sinks of the speed layer, each a consumer group of its own, opened by `streaming/sinks/<name>/open-sink.ts`. A new one is a line
 * here and such a folder: configuration, routes and `npm start` know it from here.
 */
export const SINKS = {
  hdfs: { reads: 'readings', switchable: true, collects: true },
  redis: { reads: 'readings', switchable: true, collects: false },
  mongodb: { reads: 'readings', switchable: true, collects: false },
  windows: { reads: 'readings', switchable: true, collects: false },
  alarms: { reads: 'readings', switchable: true, collects: false },
  router: { reads: 'readings', switchable: false, collects: false },
  unorganized: { reads: 'text', switchable: false, collects: true },
} as const satisfies Readonly<Record<string, SinkFacts>>;

export type SinkName = keyof typeof SINKS;
/** A sink that a route may switch off. */
export type SwitchableSink = {
  [Name in SinkName]: (typeof SINKS)[Name]['switchable'] extends true ? Name : never;
}[SinkName];

export const SINK_NAMES = Object.keys(SINKS) as readonly SinkName[];
export const SWITCHABLE_SINKS = SINK_NAMES.filter((name): name is SwitchableSink => SINKS[name].switchable);

export function isSinkName(text: string): text is SinkName {
  return Object.hasOwn(SINKS, text);
}
