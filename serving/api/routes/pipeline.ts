import { z } from 'zod';
import type { PipelineWatch } from '../../pipeline/pipeline-watch.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import { openAlarmsAnswer } from './alarms.ts';

const text = z.string();
const count = z.int();
const rate = z.number().nullable().describe('Per second, over the last half minute');
const verdicts = ['balanced', 'catching up', 'differs', 'loss', 'unknown'] as const;

const pipelineAnswer = z.object({
  at: text,
  accepted: z
    .object({ records: count, ratePerSecond: rate })
    .nullable()
    .describe('Exact: the offsets that Kafka has given'),
  sinks: z
    .array(z.object({ sink: text, topic: text, lag: count.nullable(), ratePerSecond: rate }))
    .nullable()
    .describe('By what each group has committed; null: never'),
  views: z
    .object({
      batch: z.object({ build: text, publishedAt: text, ageMs: count }).nullable(),
      watermark: text.nullable(),
      watermarkDelayMs: count.nullable().describe('How far event time that is passed lies behind now'),
      updatedAt: text.nullable(),
    })
    .nullable(),
  deadLetters: count.nullable().describe('At most: markers of transactions are counted too'),
  alarms: openAlarmsAnswer.nullable(),
  ledger: z
    .object({
      accepted: count,
      hdfs: z
        .object({
          ...{ upTo: count, behind: count, readings: count, unreadable: count, notRouted: count },
          ...{ missing: count, expired: count, unaccounted: count },
        })
        .describe('Exact, by the commit logs'),
      mongodb: z
        .object({ documents: count.describe('By its own count, an estimate after a crash'), upTo: count.nullable() })
        .nullable(),
      verdict: z.enum(verdicts),
    })
    .nullable(),
  stores: z.array(z.object({ store: text, ok: z.boolean(), problem: text.nullable(), needs: text })),
  problems: z.array(text),
});

/** How the pipeline stands, from the sources to the views. */
export function pipelineRoute(watch: Pick<PipelineWatch, 'state'>): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: '/api/pipeline',
    summary: 'Rates, lags, watermark, dead letters, age of the batch view, and the ledger of what was accepted',
    tag: 'operations',
    answer: pipelineAnswer,
    async answerTo() {
      const state = await watch.state();
      const { atMs, accepted, sinks, views, ledger } = state;
      const answer: z.output<typeof pipelineAnswer> = {
        at: new Date(atMs).toISOString(),
        accepted:
          accepted === undefined ? null : { records: accepted.records, ratePerSecond: accepted.ratePerSecond ?? null },
        sinks:
          sinks?.map(({ sink, topic, lag, ratePerSecond }) => ({
            ...{ sink, topic, lag: lag ?? null, ratePerSecond: ratePerSecond ?? null },
          })) ?? null,
        views:
          views === undefined
            ? null
            : {
                batch:
                  views.build === undefined
                    ? null
                    : {
                        build: views.build.id,
                        publishedAt: new Date(views.build.publishedMs).toISOString(),
                        ageMs: Math.round(atMs - views.build.publishedMs),
                      },
                watermark: isoOrNull(views.watermarkMs),
                watermarkDelayMs: views.watermarkMs === undefined ? null : Math.round(atMs - views.watermarkMs),
                updatedAt: isoOrNull(views.updatedMs),
              },
        deadLetters: state.deadLetters ?? null,
        alarms: state.alarms ?? null,
        ledger:
          ledger === undefined
            ? null
            : {
                ...ledger,
                mongodb:
                  ledger.mongodb === undefined
                    ? null
                    : { documents: ledger.mongodb.documents, upTo: ledger.mongodb.upTo ?? null },
              },
        stores: state.stores.map(({ store, ok, problem, needs }) => ({ store, ok, problem: problem ?? null, needs })),
        problems: [...state.problems],
      };
      return value(answer);
    },
  });
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
