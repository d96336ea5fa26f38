import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitCells } from './cells.ts';

/** As a CSV writer writes them (RFC 4180): quoted where needed, perhaps elsewhere too, a quote doubled. */
function writeCells(
  cells: readonly string[],
  dialect: { delimiter: string; quote: string },
  quoteAll: boolean,
): string {
  const { delimiter, quote } = dialect;
  const needsQuotes = (cell: string): boolean => [delimiter, quote, '\r'].some((special) => cell.includes(special));
  return cells
    .map((cell) => (quoteAll || needsQuotes(cell) ? quote + cell.replaceAll(quote, quote + quote) + quote : cell))
    .join(delimiter);
}

const oneCharacter = fc.oneof(
  fc.constantFrom(',', ';', '\t', '|', '"', "'", ' ', '`'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((text) => text.length === 1 && !/[\r\n]/.test(text)),
);
const dialects = fc
  .record({ delimiter: oneCharacter, quote: oneCharacter })
  .filter(({ delimiter, quote }) => delimiter !== quote);

it('reads back what a writer wrote, in any dialect', () => {
  fc.assert(
    fc.property(
      dialects.chain((dialect) =>
        fc.record({
          dialect: fc.constant(dialect),
          cells: fc.array(
            fc
              .string({
                unit: fc.oneof(
                  fc.constantFrom(dialect.delimiter, dialect.quote, '"', "'", '\r', '\\', ' ', '\uFEFF'),
                  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
                ),
                maxLength: 8,
              })
              .map((text) => text.replaceAll('\n', '')),
            { minLength: 1, maxLength: 6 },
          ),
          quoteAll: fc.boolean(),
        }),
      ),
      ({ dialect, cells, quoteAll }) => {
        expect(splitCells(writeCells(cells, dialect, quoteAll), dialect)).toEqual(cells);
      },
    ),
    { numRuns: 500 },
  );
});

describe('with other quotes than the usual', () => {
  const single = { delimiter: ',', quote: "'" };

  it.each([
    [`'12" main',5`, ['12" main', '5']],
    [`12" main,5`, ['12" main', '5']],
    [`'O''Brien',5`, ["O'Brien", '5']],
    [`'a,b','c\rd'`, ['a,b', 'c\rd']],
    [`''''`, ["'"]],
    [`''`, ['']],
  ])('%j', (text, cells) => {
    expect(splitCells(text, single)).toEqual(cells);
  });

  it.each([`'open,5`, `a'b,5`, `'a'b,5`, `'a' ,5`])('%j does not match up', (text) => {
    expect(splitCells(text, single)).toBeUndefined();
  });
});

it('keeps a lone carriage return within its cell, quoted or not, so that no record is lost in it', () => {
  const dialect = { delimiter: ',', quote: '"' };
  expect(splitCells('m1,5\rm2,6', dialect)).toEqual(['m1', '5\rm2', '6']);
  expect(splitCells('"m1",5\r"m2",6', dialect)).toBeUndefined();
  expect(splitCells('"m1",5\rm2,6', dialect)).toEqual(['m1', '5\rm2', '6']);
});

it('takes quotes for characters where there are none', () => {
  expect(splitCells('"a,b"', { delimiter: ',', quote: '' })).toEqual(['"a', 'b"']);
});
