import { describe, expect, it } from 'vitest';
import { bracketed, literal, tableReference } from './sql-text.ts';

describe('SQL text', () => {
  it.each([
    ['telemetry', '[telemetry]'],
    ['odd]name', '[odd]]name]'],
    ["it's; DROP TABLE x --", "[it's; DROP TABLE x --]"],
  ])('brackets the name %j', (name, text) => {
    expect(bracketed(name)).toBe(text);
  });

  it.each([
    ['', "N''"],
    ["it's", "N'it''s'"],
    ['C:\\grid', "N'C:\\grid'"],
    ['line\\\nline', "(N'line\\' + N'\nline')"],
    ['line\\\r\nline', "(N'line\\' + N'\r\nline')"],
    ["\\\n'\\\n", "(N'\\' + N'\n''\\' + N'\n')"],
  ])('quotes the text %j', (text, quoted) => {
    expect(literal(text)).toBe(quoted);
  });

  it('names a table by schema and name', () => {
    expect(tableReference({ schema: 'a.b', name: 'c]' })).toBe('[a.b].[c]]]');
  });
});
