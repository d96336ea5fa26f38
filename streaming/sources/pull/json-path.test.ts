import { expect, it } from 'vitest';
import { parseJsonPath, valuesAt } from './json-path.ts';

const reply = { list: [{ id: 1, main: { temp: 20 } }, { id: 2 }], city: { id: 'x' } };

function at(text: string, record: unknown = reply): unknown[] {
  const path = parseJsonPath(text);
  if (path === undefined) throw new Error(`${text} is no path`);
  return valuesAt(path, record, reply);
}

it('follows names, indices and stars, and finds nothing where something is missing', () => {
  expect(at('')).toEqual([reply]);
  expect(at('list[*].id')).toEqual([1, 2]);
  expect(at('list[*].main.temp')).toEqual([20]);
  expect(at('list[1].id')).toEqual([2]);
  expect(at('list[7].id')).toEqual([]);
  expect(at('city.name')).toEqual([]);
  expect(at('toString')).toEqual([]);
});

it('starts at the record, or with $ at the reply', () => {
  expect(at('id', reply.list[1])).toEqual([2]);
  expect(at('$.city.id', reply.list[1])).toEqual(['x']);
  expect(at('$', 5)).toEqual([reply]);
});

it.each(['a..b', '.a', 'a.', 'a[x]', 'a[', 'a]'])('%s is no path', (text) => {
  expect(parseJsonPath(text)).toBeUndefined();
});
