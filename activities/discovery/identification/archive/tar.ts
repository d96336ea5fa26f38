import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { PassThrough, Readable } from 'node:stream';
import tar from 'tar-stream';
import type { Refusal } from '../identifier.ts';
import { printable, unsafeName } from './member-name.ts';
import { detailOf, type MemberSink } from './member-sink.ts';
import type { OpenedArchive } from './zip.ts';

const REFUSED: ReadonlyMap<string, Refusal> = new Map([
  ['symlink', 'symbolic-link'],
  ['link', 'hard-link'],
  ['character-device', 'device'],
  ['block-device', 'device'],
  ['fifo', 'device'],
] as const);

/** Takes the members out of a tar. */
export async function unpackTar(path: string, sink: MemberSink): Promise<OpenedArchive> {
  const extract = tar.extract();
  let files = 0;
  const source = createReadStream(path);
  let fault: unknown;
  // A pipeline hands errors of either side to the other; entries are read by hand, one after the other.
  pipeline(source, new PassThrough(), extract, (error) => {
    fault = error ?? undefined;
  });
  try {
    for await (const entry of extract) {
      const { name, size, type, mtime } = entry.header;
      if (!sink.count()) {
        sink.refuse('(further members)', 'budget', 'they were not read');
        break;
      }
      const shown = printable(name);
      const modifiedMs = mtime.getTime();
      if (type === 'directory') {
        entry.resume();
        continue;
      }
      files++;
      const refused = REFUSED.get(type) ?? unsafeName(name);
      if (refused !== undefined) {
        sink.refuse(shown, refused, undefined, modifiedMs);
        entry.resume();
      } else await sink.take(shown, () => Readable.from(entry as AsyncIterable<Buffer>), { bytes: size }, modifiedMs);
    }
  } catch (error) {
    fault ??= error;
  } finally {
    source.destroy();
    extract.destroy();
  }
  const whole = sink.members.filter(({ path: file }) => file !== undefined).length;
  const warnings = fault === undefined ? [] : [`it ends early or is damaged: ${detailOf(fault)}`];
  return {
    warnings,
    ...(fault !== undefined && whole === 0 ? { damage: detailOf(fault) } : {}),
    facts: { members: files },
  };
}
