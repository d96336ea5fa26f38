import picomatch from 'picomatch';
import { GridError } from '../../grid/errors.ts';
import { MOST_CONTENTS, type ReplayInput } from '../../workflows/replay/contract.ts';
import { contentAt } from '../fetch/content-at.ts';
import type { ReplayDependencies } from './replay-content.ts';

/**
 * Contents with telemetry that an input names, in the order of their hashes.
 *
 * @throws GridError `legacy-not-found`: there is none, or more than one replay takes
 */
export async function selectTelemetry(
  { catalogue }: ReplayDependencies,
  { file, class: kind, query }: ReplayInput,
): Promise<readonly string[]> {
  if (file !== undefined) {
    const content = await contentAt(catalogue, file);
    if (content?.telemetry === undefined) {
      throw new GridError(
        'legacy-not-found',
        `Replaying ${file.slice(0, 300)}: ${content === undefined ? 'the catalogue has no content of this name' : `no readings were found in it (it is ${content.verdict?.class ?? content.status})`}. Give the SHA-256 or the path of a file of telemetry.`,
      );
    }
    return [content._id];
  }
  const matches = query === undefined ? undefined : picomatch(query.path, { dot: true });
  const found: string[] = [];
  for await (const { _id, paths = [], verdict } of catalogue.withTelemetry()) {
    if (kind !== undefined && verdict?.class !== kind) continue;
    if (matches !== undefined && !paths.some((path) => matches(path.replace(/^\w+:\//, '')) || matches(path))) continue;
    if (found.push(_id) > MOST_CONTENTS) {
      throw new GridError(
        'legacy-not-found',
        `Replaying legacy telemetry: more than ${MOST_CONTENTS} files are meant. Replay them in parts: {"query": {"path": "…"}}.`,
      );
    }
  }
  return found.sort();
}
