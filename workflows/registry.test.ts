import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as workflows from './index.ts';
import { JOBS, jobOf } from './registry.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe('the registry', () => {
  it('knows every folder that has a contract, and each has the same files', () => {
    const folders = readdirSync(folder('.')).filter((name) => existsSync(folder(`${name}/contract.ts`)));
    expect(folders).toHaveLength(JOBS.length);
    for (const name of folders) {
      for (const file of [`${name}/workflow.ts`, `${name}/text.ts`, `../activities/${name}`]) {
        expect([file, existsSync(folder(file))]).toEqual([file, true]);
      }
    }
  });

  it('knows only workflows that the worker has, each once', () => {
    const types = JOBS.map(({ contract }) => contract.workflowType);
    expect(new Set(types).size).toBe(types.length);
    expect(Object.keys(workflows)).toEqual(expect.arrayContaining(types));
    expect(jobOf('copyTables')).toBeUndefined();
  });

  it.each(JOBS.map((job) => [job.contract.workflowType, job] as const))(
    'tells %s in one line, with an input that it takes',
    (_, { contract }) => {
      expect(contract.summary).toMatch(/^[a-z].{10,80}[^.]$/);
      expect(contract.input.safeParse(contract.example).success).toBe(true);
      expect(contract.input.safeParse({ 'no such field': 1 }).success).toBe(false);
    },
  );
});
