import { stat } from 'node:fs/promises';
import { GridError } from '../../../grid/errors.ts';
import { loadPosition, type ReplayPosition } from './position.ts';
import type { TableLayout } from './table.ts';

/**
 * The position in a state file, if there is one and it fits what is to be replayed.
 *
 * @throws GridError `invalid-configuration` when it belongs to something else: another data set, other time stamps, or a file that is no
 *   longer the one that was read. A file that has only grown is the same file.
 */
export async function restorePosition(
  stateFile: string | undefined,
  replay: {
    readonly dataset: string;
    readonly timestamps: 'original' | 'shifted';
    readonly layouts: readonly TableLayout[];
  },
): Promise<ReplayPosition | undefined> {
  const position = stateFile === undefined ? undefined : await loadPosition(stateFile);
  if (position === undefined) return undefined;
  const fail = (fault: string): GridError =>
    new GridError(
      'invalid-configuration',
      `Going on from the position in ${stateFile ?? ''}: ${fault}. Delete it to replay from the beginning, or name another one in FILE_SOURCE_STATE_FILE.`,
    );
  if (position.dataset !== replay.dataset)
    throw fail(`it belongs to the data set ${position.dataset}, not ${replay.dataset}`);
  if (position.timestamps !== replay.timestamps) {
    throw fail(`it was begun with ${position.timestamps} time stamps, not ${replay.timestamps}`);
  }
  for (const { mapping, path, headerText } of replay.layouts) {
    const file = position.files[mapping.path];
    if (file === undefined) continue;
    if (file.header !== headerText) throw fail(`the header of ${path} has changed since`);
    const { size } = await stat(path);
    if (!path.endsWith('.gz') && size < file.byte) throw fail(`${path} has become shorter than what was read of it`);
  }
  return position;
}
