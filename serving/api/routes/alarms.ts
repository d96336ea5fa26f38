import { z } from 'zod';
import {
  acknowledgeAlarm,
  ALARM_FILTERS,
  countOpenAlarms,
  listAlarms,
  type AlarmRow,
} from '../../../connectors/postgres/serving/alarm-list.ts';
import { ALARM_KINDS, SEVERITIES } from '../../../grid/alarms/rule.ts';
import { GridError } from '../../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../../grid/reading.ts';
import type { Stores } from '../../stores.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';

const MOST = 500;
const USUAL = 100;
/** An id below the largest of the database. */
const ALARM_ID = /^\d{1,18}$/;
const place = z.tuple([z.string().regex(ALARM_ID)]);
/** Who acknowledges where nobody has a name. */
const NOBODY = 'unknown';
const MOST_NAME_CHARACTERS = 200;

const text = z.string();
export const openAlarmsAnswer = z.object({
  open: z.int(),
  unacknowledged: z.int(),
  critical: z.int(),
  warning: z.int(),
  info: z.int(),
});
const alarmAnswer = z.object({
  id: text,
  state: z.enum(['raised', 'acknowledged', 'cleared']),
  severity: z.enum(SEVERITIES),
  rule: text,
  kind: z.enum(ALARM_KINDS),
  sensorId: text,
  aspect: z.enum(TEMPORAL_ASPECTS),
  unit: text,
  limit: text.describe('What the value is beyond'),
  since: text.describe('The reading’s own time since when it has been so'),
  raisedAt: text.describe('The own time of the reading that raised it; of silence that of the last reading'),
  recordedAt: text.describe('When it was raised, by the clock'),
  value: text,
  reason: text,
  source: z.object({ topic: text, partition: z.int(), offset: z.int() }),
  acknowledged: z.object({ at: text, by: text }).nullable(),
  cleared: z.object({ at: text, value: text, reason: text }).nullable(),
});

/** Alarms and their history, and the word of somebody who has seen one. */
export function alarmRoutes({ database }: Pick<Stores, 'database'>, hasWebhook: boolean): ApiRoute[] {
  const list = apiRoute({
    method: 'GET',
    path: '/api/alarms',
    summary: 'Alarms, the newest first, and how many are open',
    tag: 'alarms',
    query: z.strictObject({
      state: z.enum(ALARM_FILTERS).default('open').describe('open: raised or acknowledged, and not cleared'),
      severity: z.enum(SEVERITIES).optional(),
      sensorId: ask.sensorId.optional(),
      rule: z
        .string()
        .regex(/^[\w.-]{1,100}$/)
        .optional(),
      limit: ask.limit(MOST, USUAL),
      cursor: ask.cursor.optional(),
    }),
    answer: z.object({ alarms: z.array(alarmAnswer), counts: openAlarmsAnswer, next: text.nullable() }),
    async answerTo({ query }) {
      const limit = query.limit ?? USUAL;
      const at = ask.placeOf(query.cursor, place);
      const [alarms, counts] = await Promise.all([
        listAlarms(database, database.schema, {
          ...{ state: query.state, severity: query.severity, sensorId: query.sensorId, rule: query.rule },
          ...{ before: at?.[0], limit },
        }),
        countOpenAlarms(database, database.schema),
      ]);
      const last = alarms.at(-1);
      return value({
        alarms: alarms.map(answerOf),
        counts,
        next: last === undefined || alarms.length < limit ? null : ask.cursorOf([last.id]),
      });
    },
  });

  const acknowledge = apiRoute({
    method: 'POST',
    path: '/api/alarms/{alarmId}/acknowledge',
    summary: 'Note that an alarm has been seen; again it changes nothing',
    tag: 'alarms',
    role: 'operate',
    params: z.strictObject({ alarmId: z.string().regex(ALARM_ID).describe('Id of the alarm') }),
    body: z.strictObject({}),
    answer: alarmAnswer,
    async answerTo({ params: { alarmId }, identity, target }) {
      target(alarmId);
      // No control character, nor half a surrogate pair, is kept of a name that comes from elsewhere.
      const by = (identity.name ?? NOBODY).replaceAll(/[\p{Cc}\p{Cs}]/gu, '').slice(0, MOST_NAME_CHARACTERS);
      const alarm = await acknowledgeAlarm(database, alarmId, by, hasWebhook);
      if (alarm === undefined) {
        throw new GridError(
          'not-found',
          `Acknowledging alarm ${alarmId}: there is none. Ask GET /api/alarms for those that are.`,
        );
      }
      return value(answerOf(alarm));
    },
  });
  return [list, acknowledge];
}

function answerOf(row: AlarmRow): z.output<typeof alarmAnswer> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const { acknowledged_ms: acknowledgedMs, cleared_reason: clearedReason } = row;
  const state = clearedReason !== null ? 'cleared' : acknowledgedMs !== null ? 'acknowledged' : 'raised';
  return {
    ...{ id: row.id, state, severity: row.severity, rule: row.rule_id, sensorId: row.sensor_id, unit: row.unit },
    kind: row.kind as z.output<typeof alarmAnswer>['kind'],
    aspect: row.aspect as z.output<typeof alarmAnswer>['aspect'],
    ...{ limit: row.limit_text, value: row.raised_value, reason: row.raised_reason },
    since: iso(row.since_ms),
    raisedAt: iso(row.raised_ms),
    recordedAt: iso(row.recorded_ms),
    source: { topic: row.topic, partition: row.partition, offset: row.raised_offset },
    acknowledged: acknowledgedMs === null ? null : { at: iso(acknowledgedMs), by: row.acknowledged_by ?? '' },
    cleared:
      clearedReason === null
        ? null
        : { at: iso(row.cleared_ms ?? 0), value: row.cleared_value ?? '', reason: clearedReason },
  };
}
