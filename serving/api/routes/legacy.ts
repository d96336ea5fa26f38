import { z } from 'zod';
import { LEGACY_CLASSES, verdict } from '../../../grid/legacy/verdict.ts';
import { discoveryResult, OUTCOMES } from '../../../workflows/discovery/contract.ts';
import type { Stores } from '../../stores.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';

const MOST_CRAWLS = 50;
const USUAL_CRAWLS = 10;
const MOST_FILES = 200;
const USUAL_FILES = 50;
const place = z.tuple([z.string().max(2_000)]);

const text = z.string();
const next = text.nullable();
const crawlAnswer = z.object({ crawls: z.array(discoveryResult), next });

/** What the catalogue says of a path; whatever else stands there is left out. */
const row = z.object({
  _id: text,
  path: text,
  outcome: text,
  crawl: text,
  size: z.number(),
  seenAt: text,
  reason: text.optional(),
  detail: text.optional(),
  content: text.optional(),
  class: text.optional(),
  format: text.optional(),
});
const content = z.object({
  _id: text,
  paths: z.array(text).optional(),
  chain: z.array(text).optional(),
  verdict: verdict.optional(),
  where: z.object({ kind: text, path: text, offset: z.number().optional() }).optional(),
  text: text.optional(),
  telemetry: text.optional(),
  sameTextAs: text.optional(),
});
const fileAnswer = z.object({
  path: text,
  outcome: text,
  reason: text.nullable(),
  detail: text.nullable(),
  class: text.nullable(),
  format: text.nullable(),
  bytes: z.number(),
  crawl: text,
  seenAt: text,
  content: content
    .omit({ _id: true })
    .extend({ sha256: text })
    .nullable()
    .describe('What is known of its bytes, by whatever path they were found; null where none could be had'),
});

/** Discovered legacy files: reports of crawls, and what became of each file, why, and where it lies. */
export function legacyRoutes({ documents }: Pick<Stores, 'documents'>, database: string): ApiRoute[] {
  const crawls = apiRoute({
    method: 'GET',
    path: '/api/legacy/crawls',
    summary: 'Reports of crawls: files by outcome and class, reasons, clusters of unknowns; the newest first',
    tag: 'batch',
    query: z.strictObject({ limit: ask.limit(MOST_CRAWLS, USUAL_CRAWLS), cursor: ask.cursor.optional() }),
    answer: crawlAnswer,
    async answerTo({ query }) {
      const limit = query.limit ?? USUAL_CRAWLS;
      const after = ask.placeOf(query.cursor, place)?.[0];
      const found = await documents.page(database, 'crawls', { after, limit, newestFirst: true });
      // Reports of other versions are passed over.
      const known = found.flatMap((document) => discoveryResult.safeParse(document).data ?? []);
      return value({ crawls: known, next: nextOf(found, limit) });
    },
  });

  const files = apiRoute({
    method: 'GET',
    path: '/api/legacy/files',
    summary: 'Files that were found, with verdict, evidence, and where their bytes lie',
    tag: 'batch',
    query: z.strictObject({
      class: z.enum(LEGACY_CLASSES).optional(),
      outcome: z.enum([...OUTCOMES, 'passed-over']).optional(),
      reason: z
        .string()
        .regex(/^[a-z-]{1,40}$/)
        .optional()
        .describe('Why it was set aside, such as budget'),
      crawl: z
        .string()
        .regex(/^[\da-z]{1,40}$/)
        .optional()
        .describe('The last crawl that found it'),
      limit: ask.limit(MOST_FILES, USUAL_FILES),
      cursor: ask.cursor.optional(),
    }),
    answer: z.object({ files: z.array(fileAnswer), next }),
    async answerTo({ query: { limit = USUAL_FILES, cursor, ...where } }) {
      const after = ask.placeOf(cursor, place)?.[0];
      const found = await documents.page(database, 'paths', { after, limit, newestFirst: false, where });
      const rows = found.flatMap((document) => row.safeParse(document).data ?? []);
      const ids = [...new Set(rows.flatMap((one) => one.content ?? []))];
      const contents = new Map(
        (await documents.byIds(database, 'files', ids)).flatMap((document) => {
          const known = content.safeParse(document).data;
          return known === undefined ? [] : [[known._id, known] as const];
        }),
      );
      return value({
        files: rows.map((one) => fileOf(one, contents.get(one.content ?? ''))),
        next: nextOf(found, limit),
      });
    },
  });

  return [crawls, files];
}

function nextOf(found: readonly Readonly<Record<string, unknown>>[], limit: number): string | null {
  const last = found.at(-1)?.['_id'];
  return found.length < limit || typeof last !== 'string' ? null : ask.cursorOf([last]);
}

function fileOf(found: z.output<typeof row>, known: z.output<typeof content> | undefined): z.output<typeof fileAnswer> {
  const { path, outcome, reason, detail, format, size, crawl, seenAt } = found;
  const { _id: sha256 = '', ...rest } = known ?? {};
  return {
    path,
    outcome,
    reason: reason ?? null,
    detail: detail ?? null,
    class: found.class ?? known?.verdict?.class ?? null,
    format: format ?? known?.verdict?.format ?? null,
    bytes: size,
    crawl,
    seenAt,
    content: known === undefined ? null : { sha256, ...rest },
  };
}
