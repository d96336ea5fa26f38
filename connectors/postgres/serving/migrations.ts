/** A quoted name of a schema. */
type Schema = string;

/** The columns of a window's aggregate (`grid/aggregate/aggregate.ts`), the same in the batch view and the speed view. */
const AGGREGATE_COLUMNS = `
  reading_count bigint NOT NULL,
  inexact_count bigint NOT NULL,
  unsquared_count bigint NOT NULL,
  value_sum numeric NOT NULL,
  value_sum_of_squares numeric NOT NULL,
  value_min numeric,
  value_max numeric,
  first_order text COLLATE "C" NOT NULL,
  first_value text COLLATE "C" NOT NULL,
  last_order text COLLATE "C" NOT NULL,
  last_value text COLLATE "C" NOT NULL`;

/** What a window is of. */
const WINDOW_COLUMNS = `
  sensor_id text COLLATE "C" NOT NULL,
  aspect text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  resolution text COLLATE "C" NOT NULL,
  window_start timestamptz NOT NULL`;

/**
 * What makes the serving database what it is, step by step; a step that has been released is never changed, the next one changes what it made.
 *
 * - `batch_build`, `batch_boundary`: what the published batch view covers, an inclusive last offset for each partition of Kafka.
 * - `batch_view`: windows over all readings up to the boundary.
 * - `speed_position`: where the windows sink goes on, and the range of offsets (segment) that is being filled.
 * - `speed_segment`: ranges that are full; each ends where the HDFS sink ends a commit too, see `grid/segment.ts`.
 * - `speed_view`: windows over the readings of one segment; an answer adds those beyond the boundary to the batch view.
 * - `alarm_…`: alarms, see `alarm-store.ts`.
 */
export const MIGRATIONS: readonly ((schema: Schema) => string)[] = [
  (schema) => `
CREATE TABLE ${schema}.batch_build (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id text NOT NULL UNIQUE,
  boundary jsonb NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now(),
  is_rebuild boolean NOT NULL,
  reading_count bigint NOT NULL,
  changed_windows bigint NOT NULL
);
CREATE TABLE ${schema}.batch_boundary (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  last_offset bigint NOT NULL,
  build_id bigint NOT NULL REFERENCES ${schema}.batch_build,
  PRIMARY KEY (topic, partition)
);
CREATE TABLE ${schema}.batch_view (${WINDOW_COLUMNS},${AGGREGATE_COLUMNS},
  weighted_sum numeric,
  weighted_ms bigint,
  build_id bigint NOT NULL,
  PRIMARY KEY (sensor_id, aspect, unit, resolution, window_start)
);
CREATE TABLE ${schema}.speed_position (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  next_offset bigint NOT NULL,
  segment_first_offset bigint NOT NULL,
  segment_number bigint NOT NULL,
  watermark timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
);
CREATE TABLE ${schema}.speed_segment (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  first_offset bigint NOT NULL,
  last_offset bigint NOT NULL,
  PRIMARY KEY (topic, partition, first_offset)
);
CREATE TABLE ${schema}.speed_view (${WINDOW_COLUMNS},
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  segment_first_offset bigint NOT NULL,${AGGREGATE_COLUMNS},
  revision bigint NOT NULL,
  is_corrected boolean NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sensor_id, aspect, unit, resolution, window_start, topic, partition, segment_first_offset)
);
CREATE INDEX speed_view_segment ON ${schema}.speed_view (topic, partition, segment_first_offset);
`,
  // What the windows sink keeps beside: every transaction of a partition has a number, and up to which of them its revisions are in Kafka.
  // `speed_view` is mostly updated in place, for which pages keep room; none of the columns that change is in an index.
  (schema) => `
ALTER TABLE ${schema}.speed_position
  ADD COLUMN change_number bigint NOT NULL DEFAULT 0,
  ADD COLUMN finalized_until timestamptz,
  ADD COLUMN published_change bigint NOT NULL DEFAULT 0,
  ADD COLUMN published_segment bigint NOT NULL DEFAULT 0,
  ADD COLUMN published_until timestamptz;
ALTER TABLE ${schema}.speed_view
  ADD COLUMN is_final boolean NOT NULL DEFAULT false,
  ADD COLUMN change_number bigint NOT NULL DEFAULT 0;
ALTER TABLE ${schema}.speed_view SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX speed_view_window ON ${schema}.speed_view (topic, partition, resolution, window_start);
`,
  // What a build did, for whoever asks later; and the windows of some days found without reading all.
  (schema) => `
ALTER TABLE ${schema}.batch_build ADD COLUMN summary jsonb NOT NULL DEFAULT '{}';
CREATE INDEX batch_view_window ON ${schema}.batch_view USING brin (window_start) WITH (pages_per_range = 16);
`,
  // Answers to questions about words; as `json`, since `jsonb` refuses a NUL that a word may have.
  (schema) => `
CREATE TABLE ${schema}.word_count (
  question text COLLATE "C" PRIMARY KEY,
  subject text NOT NULL,
  counted_at timestamptz NOT NULL,
  total bigint NOT NULL,
  distinct_words bigint NOT NULL,
  answer json NOT NULL
);
`,
  // Alarms: where their sink stands, what it knows of each series, alarms, and each change of one until it is delivered.
  (schema) => `
CREATE TABLE ${schema}.alarm_position (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  next_offset bigint NOT NULL,
  state_offset bigint NOT NULL,
  change_number bigint NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
);
CREATE TABLE ${schema}.alarm_series (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  sensor_id text COLLATE "C" NOT NULL,
  aspect text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  facts text NOT NULL,
  quiet_at timestamptz,
  PRIMARY KEY (topic, partition, sensor_id, aspect, unit)
) WITH (fillfactor = 70);
CREATE INDEX alarm_series_quiet ON ${schema}.alarm_series (topic, partition, quiet_at) WHERE quiet_at IS NOT NULL;
CREATE TABLE ${schema}.alarm (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  rule_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  severity text NOT NULL,
  sensor_id text COLLATE "C" NOT NULL,
  aspect text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  limit_text text NOT NULL,
  since timestamptz NOT NULL,
  raised_at timestamptz NOT NULL,
  raised_value text NOT NULL,
  raised_offset bigint NOT NULL,
  raised_reason text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  acknowledged_at timestamptz,
  acknowledged_by text,
  cleared_at timestamptz,
  cleared_value text,
  cleared_offset bigint,
  cleared_reason text,
  clearing_recorded_at timestamptz
);
CREATE UNIQUE INDEX alarm_open ON ${schema}.alarm (topic, partition, sensor_id, aspect, unit, rule_id) WHERE cleared_reason IS NULL;
CREATE INDEX alarm_open_id ON ${schema}.alarm (id) WHERE cleared_reason IS NULL;
CREATE INDEX alarm_sensor ON ${schema}.alarm (sensor_id, id);
CREATE INDEX alarm_cleared ON ${schema}.alarm (clearing_recorded_at) WHERE cleared_reason IS NOT NULL;
CREATE TABLE ${schema}.alarm_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alarm_id bigint NOT NULL REFERENCES ${schema}.alarm ON DELETE CASCADE,
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  change text NOT NULL,
  at timestamptz NOT NULL,
  value text NOT NULL,
  reason text NOT NULL,
  record_offset bigint,
  appended_at timestamptz,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  topic_pending boolean NOT NULL DEFAULT true,
  webhook_pending boolean NOT NULL
);
CREATE INDEX alarm_event_alarm ON ${schema}.alarm_event (alarm_id);
CREATE INDEX alarm_event_topic ON ${schema}.alarm_event (topic, partition, id) WHERE topic_pending;
CREATE INDEX alarm_event_webhook ON ${schema}.alarm_event (topic, partition, id) WHERE webhook_pending;
`,
];
