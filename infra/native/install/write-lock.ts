import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { StackSettings } from '../settings.ts';
import { lockPath, repositoryPath, sha256Of, type LockedJar } from './lock.ts';
import { mavenRepository, runMaven } from './maven.ts';

/** Resolves `maven/<name>/pom.xml` and writes what it brings, with hashes, to `locks/<name>.json`: for maintainers. */
export async function writeMavenLock(settings: StackSettings, name: string): Promise<number> {
  const repository = mavenRepository(settings);
  const listing = join(tmpdir(), `powergrid-lock-${process.pid}.txt`);
  await runMaven(name, repository, [`-DoutputFile=${listing}`, '-Dmdep.outputScope=true']);
  const jars: LockedJar[] = [];
  for (const coordinates of parseListing(readFileSync(listing, 'utf8'))) {
    const path = join(repository, repositoryPath(coordinates));
    jars.push({ coordinates, sha256: await sha256Of(path), sizeBytes: statSync(path).size });
  }
  rmSync(listing, { force: true });
  jars.sort((left, right) => (left.coordinates < right.coordinates ? -1 : 1));
  writeFileSync(lockPath(name), `${JSON.stringify({ jars }, undefined, 2)}\n`);
  return jars.length;
}

/** Lines `   group:artifact:extension[:classifier]:version:scope`, with a note about modules behind them. */
function parseListing(text: string): string[] {
  const found = new Set<string>();
  for (const line of text.split('\n')) {
    const plain = stripVTControlCharacters(line).trim().split(/\s/)[0] ?? '';
    const parts = plain.split(':');
    if (parts.length < 5) continue;
    const [group, artifact, extension] = parts;
    const version = parts.at(-2) ?? '';
    const classifier = parts.length === 6 ? `:${parts[3] ?? ''}` : '';
    found.add(
      `${group ?? ''}:${artifact ?? ''}:${version}${classifier}${extension === 'jar' ? '' : `@${extension ?? ''}`}`,
    );
  }
  return [...found];
}
