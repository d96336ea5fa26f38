import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { REPORT_NAMES, REPORTS } from '../../../grid/reports/reports.ts';
import type { Stores } from '../../stores.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';

const MOST = 200;
const USUAL = 20;
const COLLECTION = 'queryAudit';
const place = z.tuple([z.string().max(2_000)]);
const entry = z.looseObject({ _id: z.string() });
const text = z.string();

/** Statements of Hive SQL that were run, and the reports that can be run. They are started, cancelled and followed as jobs. */
export function queryRoutes({ documents }: Pick<Stores, 'documents'>, database: string): ApiRoute[] {
  const list = apiRoute({
    method: 'GET',
    path: '/api/queries',
    summary: 'Statements of Hive SQL that run and were run, newest first, without their rows',
    tag: 'batch',
    role: 'operate',
    query: z.strictObject({ limit: ask.limit(MOST, USUAL), cursor: ask.cursor.optional() }),
    answer: z.object({ items: z.array(entry), next: text.nullable() }),
    async answerTo({ query }) {
      const limit = query.limit ?? USUAL;
      const at = ask.placeOf(query.cursor, place);
      const found = await documents.page(database, COLLECTION, { after: at?.[0], limit, newestFirst: true });
      const items = found.map(({ columns: _columns, firstRows: _firstRows, ...item }) => item);
      const last = items.at(-1)?.['_id'];
      return value({ items, next: items.length < limit || typeof last !== 'string' ? null : ask.cursorOf([last]) });
    },
  });

  const one = apiRoute({
    method: 'GET',
    path: '/api/queries/{workflowId}',
    summary: 'How the statement of a job stands, with its first rows once it has any',
    tag: 'batch',
    role: 'operate',
    params: z.strictObject({ workflowId: z.string().min(1).max(500) }),
    answer: entry,
    async answerTo({ params: { workflowId } }) {
      const found = await documents.newestOf(database, COLLECTION, 'workflowId', workflowId);
      if (found === undefined) {
        throw new GridError(
          'not-found',
          `Looking for the statement of the job ${JSON.stringify(workflowId.slice(0, 200))}: there is none of that id, or it has not begun.`,
        );
      }
      return value(found);
    },
  });

  const reports = apiRoute({
    method: 'GET',
    path: '/api/report-types',
    summary: 'Reports that can be run by the job runReport, and their parameters beside from, to and sensors',
    tag: 'batch',
    answer: z.object({
      reports: z.array(
        z.object({
          ...{ name: text, title: text, summary: text },
          parameters: z.array(
            z.object({ name: text, summary: text, least: z.number(), most: z.number(), usual: z.number() }),
          ),
        }),
      ),
    }),
    answerTo: () => Promise.resolve(value({ reports: REPORT_NAMES.map((name) => ({ name, ...REPORTS[name] })) })),
  });

  return [list, one, reports];
}
