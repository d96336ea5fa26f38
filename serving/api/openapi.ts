import { z } from 'zod';
import { ERRORS } from '../../grid/errors.ts';
import type { DescribedRoute } from './api-route.ts';
import { MEDIA_TYPES } from './rows.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const errorSchema = {
  type: 'object',
  required: ['code', 'message'],
  properties: { code: { type: 'string', enum: Object.keys(ERRORS) }, message: { type: 'string' } },
};

/** The OpenAPI 3.1 document of routes: made of the very schemas that requests are held against. */
export function openApiDocument(routes: readonly DescribedRoute[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'PowerGrid Lambda serving API',
      version: '1',
      description:
        'Newest values, windows of batch and speed layer added up, jobs, and how the pipeline stands. Decimals are exact, as text. Errors are {code, message}.',
    },
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ bearer: [] }, {}],
  };
}

function operation(route: DescribedRoute): JsonSchema {
  const content: Record<string, JsonSchema> = {
    [route.mediaType ?? 'application/json']: { schema: schemaOf(route.answer, 'output') },
  };
  if (route.hasRows) {
    for (const format of ['csv', 'ndjson'] as const) {
      content[MEDIA_TYPES[format].split(';')[0] ?? ''] = { schema: { type: 'string' } };
    }
  }
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^A-Za-z]+(.)?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? '')}`,
    summary: route.summary,
    tags: [route.tag],
    description: `Needs the role \`${route.role}\`.`,
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } },
        }),
    responses: {
      [route.method === 'POST' ? '202' : '200']: { description: 'The answer', content },
      default: {
        description: 'Why there is no answer',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function parameters(schema: z.ZodObject, place: 'path' | 'query'): JsonSchema[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
