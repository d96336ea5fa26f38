import { z } from 'zod';
import type { Stores } from '../../stores.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';

const MOST = 500;
const USUAL = 50;
const place = z.tuple([z.string().max(2_000)]);

interface Kept {
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly database: string;
  readonly collection: string;
  readonly newestFirst: boolean;
}

/** Lists of what jobs have kept in MongoDB: answers of reports and word counts, the catalogue of legacy files; and who changed what here. */
export function keptRoutes(
  { documents }: Pick<Stores, 'documents'>,
  analysisDatabase: string,
  legacyDatabase: string,
): ApiRoute[] {
  const analysis = { database: analysisDatabase, newestFirst: true };
  const lists: readonly Kept[] = [
    {
      ...analysis,
      path: '/api/reports',
      summary: 'Reports that have been run, and their answers',
      tag: 'batch',
      collection: 'reports',
    },
    {
      ...analysis,
      path: '/api/words',
      summary: 'Answers about words of texts',
      tag: 'batch',
      collection: 'wordCounts',
    },
    {
      path: '/api/files',
      summary: 'The catalogue of legacy files, where there is one',
      tag: 'batch',
      ...{ database: legacyDatabase, collection: 'files', newestFirst: false },
    },
  ];
  const audit: Kept = {
    ...analysis,
    path: '/api/audit',
    summary: 'Who changed what',
    tag: 'operations',
    collection: 'audit',
  };
  return [...lists.map((list) => listOf(documents, list)), listOf(documents, audit, 'operate')];
}

function listOf(documents: Stores['documents'], kept: Kept, role: 'read' | 'operate' = 'read'): ApiRoute {
  const { path, summary, tag, database, collection, newestFirst } = kept;
  return apiRoute({
    method: 'GET',
    ...{ path, summary, tag, role },
    query: z.strictObject({ limit: ask.limit(MOST, USUAL), cursor: ask.cursor.optional() }),
    answer: z.object({
      items: z.array(z.looseObject({ _id: z.unknown() })).describe('Documents as they are kept, by `_id`'),
      next: z.string().nullable(),
    }),
    async answerTo({ query }) {
      const limit = query.limit ?? USUAL;
      const at = ask.placeOf(query.cursor, place);
      const items = await documents.page(database, collection, { after: at?.[0], limit, newestFirst });
      const last = items.at(-1)?.['_id'];
      return value({ items, next: items.length < limit || typeof last !== 'string' ? null : ask.cursorOf([last]) });
    },
  });
}
