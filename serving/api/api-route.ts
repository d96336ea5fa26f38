import { z } from 'zod';
import type { Identity, Role } from '../access/roles.ts';
import type { Rows } from './rows.ts';

/** What a route is asked, checked. */
export interface ApiRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly identity: Identity;
  /** Tells the audit log what a change was made to. */
  readonly target: (name: string) => void;
}

/** What a route answers: one JSON value, or rows, which are sent in the format that was asked for. */
export type ApiAnswer =
  | { readonly kind: 'value'; readonly value: unknown; readonly status?: number }
  | { readonly kind: 'rows'; readonly rows: Rows };

/** One route of the API: all that the server, the OpenAPI document and the tests need to know of it. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/api/sensors/{sensorId}/latest`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly role: Role;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** It answers rows: as JSON, CSV or NDJSON. */
  readonly hasRows: boolean;
  readonly answerTo: (request: ApiRequest<never, never, never>) => Promise<ApiAnswer>;
}

/** What the OpenAPI document tells of a route. */
export type DescribedRoute = Omit<ApiRoute, 'answerTo'> & { readonly mediaType?: string };

interface RouteParts<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly role?: Role;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: z.ZodType;
  readonly hasRows?: boolean;
  readonly answerTo: (request: ApiRequest<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<ApiAnswer>;
}

const NOTHING = z.strictObject({});

/** A route by its schemas; what `answerTo` is given has their types. */
export function apiRoute<
  Params extends z.ZodObject = typeof NOTHING,
  Query extends z.ZodObject = typeof NOTHING,
  Body extends z.ZodType = z.ZodUndefined,
>(parts: RouteParts<Params, Query, Body>): ApiRoute {
  const { method, path, summary, tag, answer } = parts;
  return {
    ...{ method, path, summary, tag, answer },
    role: parts.role ?? 'read',
    params: parts.params ?? NOTHING,
    query: parts.query ?? NOTHING,
    body: parts.body,
    hasRows: parts.hasRows ?? false,
    // The server gives it what the schemas made.
    answerTo: parts.answerTo,
  };
}

export function value(answer: unknown, status?: number): ApiAnswer {
  return { kind: 'value', value: answer, ...(status === undefined ? {} : { status }) };
}
