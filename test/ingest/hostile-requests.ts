import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';

/** A request as bytes, and whether its sender goes away behind them. */
export interface HostileRequest {
  readonly bytes: Buffer;
  /** Whether an answer is owed: it is whole, by its own framing. */
  readonly isWhole: boolean;
  readonly method: string;
  /** How fast-check shows it. */
  readonly [fc.toStringMethod]: () => string;
}

const SHOWN_BYTES = 2_000;

/** Names that every object inherits, where a table is looked up carelessly. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);
const NUMBERS = ['0', '-0', '-1', '1e999', '-1e-999', 'NaN', 'Infinity', '0x10', '1_000', '9'.repeat(400)];

/** Text that is not what is expected, wherever it stands. */
const word = fc.oneof(
  fc.constantFrom(...INHERITED),
  fc.constantFrom(...NUMBERS),
  fc.constantFrom('', ' ', '\t', '"', "'", ';', ',', '=', '%', '%00', '%ff', '../..', '*', '${x}', '\\', 'null', 'ÿ'),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(500, 20_000).map((length) => 'x'.repeat(length)),
);

/** Mostly what it should be. */
const mostly = <T, U = T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: wrong });

const METHODS = ['POST', 'PUT', 'GET', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE', 'CONNECT', 'QUERY'];
const oddMethod = fc.oneof(
  fc.constantFrom(...METHODS),
  word.filter((text) => !/\s/.test(text)),
);
const ODD_PATHS = [
  ...['*', '//', '/../ingest', '/ingest/', '/%69ngest', '/%ff', '/:a(b', '/:', '/**', 'http://x/ingest', '/__proto__'],
  ...['/ingest', '/write', '/api/v2/write', '/query', '/ping', '/health', '/healthz', '/readyz', '/metrics', '/'],
];
const oddPath = fc.oneof(
  fc.constantFrom(...ODD_PATHS),
  word.map((text) => `/${text.replaceAll(' ', '')}`),
);
const PARAMETERS = ['precision', 'verbose', 'q', 'db', 'org', 'bucket', 'consistency'];
const PARAMETER_VALUES = ['ns', 'ms', 's', 'true', 'CREATE DATABASE "x"', 'SHOW DATABASES', 'SELECT 1', ';;', '"'];
const oddQuery = fc
  .array(
    fc.tuple(
      mostly(fc.constantFrom(...PARAMETERS), word),
      fc.oneof(fc.constantFrom(...PARAMETER_VALUES), word),
      fc.boolean(),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((pairs) =>
    pairs.map(([name, value, isEncoded]) => `${encoded(name, true)}=${encoded(value, isEncoded)}`).join('&'),
  );

const TYPES = [
  ...['application/json', 'application/json; charset=UTF-16', 'application/x-ndjson', 'application/octet-stream'],
  ...['text/plain; charset=iso-8859-1', 'application/vnd.influx.line-protocol', 'application/x-www-form-urlencoded'],
];
const oddType = fc.oneof(
  fc.constantFrom(...TYPES, 'text/xml'),
  word,
  word.map((text) => `application/json; charset=${text}`),
);
const HEADER_NAMES = ['accept', 'authorization', 'connection', 'content-type', 'content-encoding', 'cookie', 'expect'];
const MORE_HEADER_NAMES = [
  'host',
  'if-none-match',
  'te',
  'trailer',
  'upgrade',
  'user-agent',
  'x-forwarded-for',
  'date',
];
const header = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...HEADER_NAMES, ...MORE_HEADER_NAMES) },
    { weight: 1, arbitrary: fc.constantFrom(...INHERITED) },
    { weight: 1, arbitrary: fc.constantFrom('transfer-encoding', 'content-length') },
  ),
  fc.oneof(word, fc.constantFrom('gzip', '100-continue', 'chunked', 'keep-alive', 'websocket', 'identity')),
);

const jsonValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 6, 1694902173.122, 'real_time', '\ud800', [], {}),
  word,
  fc.jsonValue({ maxDepth: 3 }),
);
const FIELDS = [
  'sensor_id',
  'station_id',
  'modality',
  'unit',
  'temporal_aspect',
  'payload',
  'correlation_id',
  'created_at',
];
const MORE_FIELDS = ['schema_version', 'headers', 'body', '__proto__', 'constructor', 'toString'];
const mutation = mostly(
  fc.constant<[string, unknown][]>([]),
  fc.array(fc.tuple(fc.constantFrom(...FIELDS, ...MORE_FIELDS), jsonValue), { maxLength: 3 }),
);

/** An envelope, whole or with some fields other than they should be. */
const envelope = fc.tuple(mutation, mutation, fc.boolean(), fc.uuid()).map(([inner, outer, isNested, id]) => {
  const payload = withFields({ sensor_id: 6, modality: 421.5, unit: 'MW', temporal_aspect: 'real_time' }, inner);
  const fields = { correlation_id: id, created_at: Math.floor(Date.now() / 1_000), schema_version: 1 };
  return withFields({ payload: isNested ? (JSON.parse(payload) as unknown) : payload, ...fields }, outer);
});
const flumeEvent = mutation.map((fields) => withFields({ headers: { host: 'a' }, body: 'text\nmore' }, fields));
const point = fc
  .tuple(mostly(fc.constant('load'), word), mostly(fc.constant('6'), word), mostly(fc.constant('value'), word))
  .chain(([measurement, sensor, field]) =>
    fc
      .tuple(mostly(fc.constantFrom('1', '-1.50', '12i', '+.5e-3', 't', '"s"'), word), mostly(fc.constant(''), word))
      .map(([value, time]) => `${measurement},sensor_id=${sensor},t=${sensor} ${field}=${value},a=1 ${time}`),
  );
const oddLine = fc.oneof(
  fc.string({
    unit: fc.constantFrom('m', ',', '=', ' ', '"', '\\', '\n', '\r', '1', 'i', '.', '#', 'é'),
    maxLength: 60,
  }),
  fc.constantFrom(`m value=${'0'.repeat(60_000)}x`, `m${'\r'.repeat(50_000)} v=1`, `m v="${'\\"'.repeat(30_000)}`),
);

const SHAPES = ['{"a":', '[', '"\\"', '0', '\\', '\n', '"'];
const jsonText = fc.oneof(envelope, flumeEvent, fc.json({ maxDepth: 4 }), word);
const oddContent = fc.oneof(
  fc.constantFrom('', ' \n', '\ufeff', '[]', '[', '{}', '\ufeff[{"body":"x"}]'),
  jsonText,
  fc.array(jsonText, { maxLength: 5 }).map((all) => `[${all.join(',')}]`),
  oddLine,
  word.map((text) => `q=${encodeURIComponent(text.toWellFormed())}`),
  fc.constantFrom(...SHAPES).map((shape) => shape.repeat(5_000)),
);

/** What each request would be if nothing were wrong with it. */
interface Plan {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly content: fc.Arbitrary<string>;
}
const several = (one: fc.Arbitrary<string>, join: (all: string[]) => string) =>
  fc.array(one, { minLength: 1, maxLength: 5 }).map(join);
const LINES = several(mostly(point, oddLine), (all) => all.join('\n'));
const NO_CONTENT = fc.constant('');
const PLANS: readonly Plan[] = [
  { method: 'POST', path: '/ingest', type: 'application/json', content: envelope },
  {
    method: 'POST',
    path: '/ingest',
    type: 'application/json',
    content: several(envelope, (all) => `[${all.join(',')}]`),
  },
  {
    method: 'POST',
    path: '/ingest',
    type: 'application/x-ndjson',
    content: several(envelope, (all) => all.join('\n')),
  },
  { method: 'POST', path: '/ingest?precision=s', type: 'application/vnd.influx.line-protocol', content: LINES },
  { method: 'POST', path: '/write?db=grid&precision=ms', type: 'text/plain; charset=utf-8', content: LINES },
  { method: 'POST', path: '/api/v2/write?org=o&bucket=b', type: 'text/plain', content: LINES },
  {
    method: 'POST',
    path: '/query',
    type: 'application/x-www-form-urlencoded',
    content: fc.constant('q=CREATE+DATABASE+x'),
  },
  { method: 'POST', path: '/', type: 'text/plain', content: LINES },
  {
    method: 'PUT',
    path: '/logs/a',
    type: 'application/json',
    content: several(flumeEvent, (all) => `[${all.join(',')}]`),
  },
  ...['/ping', '/ping?verbose=true', '/health', '/healthz', '/readyz', '/metrics', '/query?q=SHOW+DATABASES'].map(
    (path) => ({ method: 'GET', path, type: 'text/plain', content: NO_CONTENT }),
  ),
];

const COMPRESSORS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
const encoding = mostly(fc.constantFrom(undefined, undefined, 'gzip', 'deflate', 'br'), word);
const compression = mostly(
  fc.constant('as declared' as const),
  fc.constantFrom('none' as const, 'cut' as const, 'garbled' as const),
);
/** How the length of a body is told. */
const framing = mostly(
  fc.constantFrom('length' as const, 'chunked' as const),
  fc.constantFrom('too long' as const, 'bad chunk' as const, 'two lengths' as const),
);

/** Requests of every form that the gateway, the raw text source and the operations pages could be sent, most of them wrong somewhere. */
export const hostileRequest: fc.Arbitrary<HostileRequest> = fc
  .constantFrom(...PLANS)
  .chain((plan) =>
    fc.record({
      method: mostly(fc.constant(plan.method), oddMethod),
      path: mostly(fc.constant(plan.path), oddPath),
      query: mostly(fc.constant(''), oddQuery),
      type: mostly(fc.constant(plan.type), oddType),
      text: mostly(plan.content, oddContent),
      bytes: mostly(fc.constant(undefined), fc.uint8Array({ maxLength: 200 })),
      encoding,
      compression,
      framing,
      headers: mostly(fc.constant<[string, string][]>([]), fc.array(header, { maxLength: 3 })),
    }),
  )
  .map((parts) => {
    const { body, told } = framed(
      compressed(Buffer.from(parts.bytes ?? parts.text), parts.encoding, parts.compression),
      parts.framing,
    );
    const lines = [
      `${parts.method} ${targetOf(parts.path, parts.query)} HTTP/1.1`,
      'host: localhost',
      'connection: close',
      `content-type: ${parts.type}`,
      ...(parts.encoding === undefined ? [] : [`content-encoding: ${parts.encoding}`]),
      ...told,
      ...parts.headers.map(([name, value]) => `${name}: ${value}`),
    ];
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const bytes = Buffer.concat([head, body]);
    return {
      bytes,
      method: parts.method,
      isWhole: parts.framing === 'length' || parts.framing === 'chunked',
      [fc.toStringMethod]: () => JSON.stringify(bytes.toString('latin1', 0, SHOWN_BYTES)),
    };
  });

function targetOf(path: string, query: string): string {
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

function withFields(base: object, fields: readonly (readonly [string, unknown])[]): string {
  const members = new Map<string, unknown>(Object.entries(base));
  for (const [name, value] of fields) members.set(name, value);
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(',')}}`;
}

function compressed(
  body: Buffer,
  declared: string | undefined,
  how: 'as declared' | 'none' | 'cut' | 'garbled',
): Buffer {
  if (how === 'none' || (declared !== 'gzip' && declared !== 'deflate' && declared !== 'br')) return body;
  const whole = COMPRESSORS[declared](body);
  if (how === 'cut') return whole.subarray(0, Math.floor(whole.length * 0.7));
  if (how === 'garbled') whole[Math.floor(whole.length / 2)] = 0xaa;
  return whole;
}

function framed(
  body: Buffer,
  how: 'length' | 'chunked' | 'too long' | 'bad chunk' | 'two lengths',
): { readonly body: Buffer; readonly told: readonly string[] } {
  switch (how) {
    case 'length':
      return { body, told: [`content-length: ${body.length}`] };
    case 'too long':
      return { body, told: [`content-length: ${body.length + 10}`] };
    case 'two lengths':
      return { body, told: [`content-length: ${body.length}`, `content-length: ${body.length + 1}`] };
    case 'bad chunk':
      return { body: Buffer.concat([Buffer.from('zz\r\n'), body]), told: ['transfer-encoding: chunked'] };
    case 'chunked': {
      const middle = Math.floor(body.length / 2);
      const pieces = [body.subarray(0, middle), body.subarray(middle)].filter(({ length }) => length > 0);
      const chunks = pieces.flatMap((piece) => [
        Buffer.from(`${piece.length.toString(16)}\r\n`),
        piece,
        Buffer.from('\r\n'),
      ]);
      return { body: Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]), told: ['transfer-encoding: chunked'] };
    }
  }
}

function encoded(text: string, isEncoded: boolean): string {
  return isEncoded ? encodeURIComponent(text.toWellFormed()) : text.replaceAll(/[\s&]/g, '+');
}
