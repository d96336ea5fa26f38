/** One step of a path: a member's name, an index, or all elements of an array. */
type Step = { readonly name: string } | { readonly index: number } | { readonly all: true };

/** A dotted path into JSON, such as `main.temp`, `list[*]`, `data[0].value`; `$.` in front starts at the reply's root. */
export interface JsonPath {
  readonly text: string;
  readonly fromRoot: boolean;
  readonly steps: readonly Step[];
}

const SEGMENT = /^([^.[\]]*)((?:\[(?:\d+|\*)\])*)$/;

/** Reads a path; undefined when it is none. The empty path is the starting point itself. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const fromRoot = text === '$' || text.startsWith('$.') || text.startsWith('$[');
  const path = fromRoot ? text.slice(1).replace(/^\./, '') : text;
  const steps: Step[] = [];
  if (path === '') return { text, fromRoot, steps };
  for (const segment of path.split('.')) {
    const match = SEGMENT.exec(segment);
    if (match === null || segment === '') return undefined;
    const [, name = '', brackets = ''] = match;
    if (name !== '') steps.push({ name });
    for (const [, inside = ''] of brackets.matchAll(/\[([^\]]+)\]/g)) {
      steps.push(inside === '*' ? { all: true } : { index: Number(inside) });
    }
  }
  return { text, fromRoot, steps };
}

/** All values at a path, below `record` or, for a path that starts there, below `root`; none where something is missing. */
export function valuesAt(path: JsonPath, record: unknown, root: unknown): unknown[] {
  let values = [path.fromRoot ? root : record];
  for (const step of path.steps) values = values.flatMap((value) => follow(value, step));
  return values;
}

/** One reply and its records. What a path finds from the root is looked up once, not for each record: that would be quadratic. */
export class JsonReply {
  readonly #root: unknown;
  readonly #atRoot = new Map<JsonPath, unknown>();

  constructor(root: unknown) {
    this.#root = root;
  }

  /** The first value at a path, undefined when there is none. */
  valueAt(path: JsonPath, record: unknown): unknown {
    if (!path.fromRoot) return valuesAt(path, record, this.#root)[0];
    if (!this.#atRoot.has(path)) this.#atRoot.set(path, valuesAt(path, record, this.#root)[0]);
    return this.#atRoot.get(path);
  }
}

function follow(value: unknown, step: Step): unknown[] {
  if (Array.isArray(value)) {
    const elements: readonly unknown[] = value;
    if ('all' in step) return [...elements];
    return 'index' in step && step.index < elements.length ? [elements[step.index]] : [];
  }
  if ('name' in step && typeof value === 'object' && value !== null && Object.hasOwn(value, step.name)) {
    return [(value as Record<string, unknown>)[step.name]];
  }
  return [];
}
