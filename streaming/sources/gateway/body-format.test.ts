import { describe, expect, it } from 'vitest';
import { contentTypeOf } from '../../../runtime/http/content-type.ts';
import { bodyFormat, declaredFormat } from './body-format.ts';

const ENVELOPE = '{"payload":"{}","correlation_id":"a"}';
const formatOf = (contentType: string | undefined, body: string) =>
  bodyFormat(declaredFormat(contentTypeOf(contentType)), Buffer.from(body));

describe('the format of a body', () => {
  it.each([
    ['one envelope', ENVELOPE, 'json'],
    ['one envelope written over lines', JSON.stringify(JSON.parse(ENVELOPE), null, 2), 'json'],
    ['one envelope with an end of line', `${ENVELOPE}\n\n`, 'json'],
    ['an array', `[${ENVELOPE}]`, 'json'],
    ['an array over lines', `\n [\n${ENVELOPE},\n${ENVELOPE}\n]`, 'json'],
    ['lines', `${ENVELOPE}\n${ENVELOPE}\n`, 'ndjson'],
    ['lines with CRLF', `${ENVELOPE}\r\n${ENVELOPE}\r\n`, 'ndjson'],
    ['lines of which the first is bad', `{bad\n${ENVELOPE}\n`, 'ndjson'],
  ])('that is undeclared or JSON is seen from its content: %s', (_what, body, format) => {
    expect(formatOf('application/json', body)).toBe(format);
    expect(formatOf('application/json; charset=utf-8', body)).toBe(format);
    expect(formatOf(undefined, body)).toBe(format);
    expect(formatOf('application/x-www-form-urlencoded', body)).toBe(format);
    expect(formatOf('text/plain', body)).toBe(format);
  });

  it('that is declared is what it is declared', () => {
    expect(formatOf('application/x-ndjson', '[1]')).toBe('ndjson');
    expect(formatOf('Application/X-NDJSON', ENVELOPE)).toBe('ndjson');
    expect(formatOf('application/vnd.influx.line-protocol', ENVELOPE)).toBe('line-protocol');
  });

  it('that is plain text and does not begin like JSON is line protocol', () => {
    expect(formatOf('text/plain; charset=utf-8', 'm,t=1 v=1')).toBe('line-protocol');
  });

  it.each(['text/html', 'application/xml', 'image/png'])('that is %s is refused', (contentType) => {
    expect(() => declaredFormat(contentTypeOf(contentType))).toThrow(
      expect.objectContaining({ code: 'unsupported-media-type' }) as Error,
    );
  });
});
