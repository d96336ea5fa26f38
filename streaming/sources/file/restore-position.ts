import { stat } from 'node:fs/promises';
import { GridError } from '../../../grid/errors.ts';
import { compareFingerprint } from './fingerprint.ts';
import { loadPosition, SWEEPS_KEPT, type FilePosition, type ReplayPosition } from './position.ts';
import type { TimeRange } from './row-readings.ts';
import { sweepAgain } from './sweeps.ts';
import type { TableLayout } from './table.ts';
import { isCompressed } from './text-input.ts';

/**
 * The position in a state file, if there is one and it fits what is to be replayed. A file that has only grown is the same file; a file
 * that it does not know is read from its beginning; where the range has changed, files are gone through again for what was left out.
 *
 * @throws GridError `invalid-configuration` when it belongs to something else: another data set, other time stamps, or a file that is no
 *   longer the one that was read.
 */
export async function restorePosition(
  stateFile: string,
  replay: {
    readonly dataset: string;
    readonly timestamps: 'original' | 'shifted';
    readonly range: TimeRange;
    readonly layouts: readonly TableLayout[];
  },
): Promise<ReplayPosition | undefined> {
  const position = await loadPosition(stateFile);
  if (position === undefined) return undefined;
  const fail = (fault: string): GridError =>
    new GridError(
      'invalid-configuration',
      `Going on from the position in ${stateFile}: ${fault}. Delete it to replay from the beginning, or name another one in FILE_SOURCE_STATE_FILE.`,
    );
  if (position.dataset !== replay.dataset)
    throw fail(`it belongs to the data set ${position.dataset}, not ${replay.dataset}`);
  if (position.timestamps !== replay.timestamps) {
    throw fail(`it was begun with ${position.timestamps} time stamps, not ${replay.timestamps}`);
  }
  const { range } = replay;
  const before = position.range ?? range;
  const isOtherRange = before.fromMs !== range.fromMs || before.toMs !== range.toMs;
  const files = new Map(position.files);
  for (const [path, file] of files) {
    const layout = replay.layouts.find(({ mapping }) => mapping.path === path);
    const fault = layout === undefined ? undefined : await changeOf(layout, file);
    if (fault !== undefined) throw fail(fault);
    if (!isOtherRange) continue;
    const again = sweepAgain(file, before);
    if (again.earlier.length > SWEEPS_KEPT) throw fail('the range was changed too often since it was begun');
    files.set(path, again);
  }
  return { ...position, range, files };
}

/** What tells that a file is no longer the one that was read. */
async function changeOf({ path, headerText }: TableLayout, file: FilePosition): Promise<string | undefined> {
  if (file.header !== headerText) return `the header of ${path} has changed since`;
  const farthest = [file, ...file.earlier].reduce((far, sweep) => (sweep.byte > far.byte ? sweep : far));
  const fingerprint = farthest.fingerprint();
  const found =
    fingerprint !== null
      ? await compareFingerprint(path, farthest.byte, fingerprint)
      : !isCompressed(path) && (await stat(path)).size < farthest.byte
        ? 'shorter'
        : 'same';
  switch (found) {
    case 'same':
      return undefined;
    case 'shorter':
      return `${path} has become shorter than what was read of it`;
    case 'other':
      return `${path} is not the file any more of which ${farthest.byte} bytes were read: other rows stand before that place. If it is another file, such as a later export, give it a name of its own in the mapping`;
  }
}
