import type { ContentDocument, LegacyCatalogue } from '../../connectors/mongodb/legacy-catalogue.ts';
import { rowId } from '../discovery/landing-paths.ts';

/** The content of this hash, or of the path under which it was found, as the catalogue writes it (`file:` may be left out). */
export async function contentAt(catalogue: LegacyCatalogue, file: string): Promise<ContentDocument | undefined> {
  const sha256 = /^[0-9a-f]{64}$/i.test(file) ? file.toLowerCase() : await hashAt(catalogue, file);
  const found = sha256 === undefined ? undefined : (await catalogue.findContents([sha256])).get(sha256);
  return found?.where === undefined ? undefined : found;
}

async function hashAt(catalogue: LegacyCatalogue, file: string): Promise<string | undefined> {
  const path = /^(?:file|hdfs):/.test(file) ? file : `file:${file}`;
  const row = (await catalogue.findPaths([rowId(path)])).get(rowId(path)) ?? (await catalogue.findPath(path));
  return row?.content;
}
