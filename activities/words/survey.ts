import { createHash } from 'node:crypto';
import type { FileStatus, HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../grid/errors.ts';
import { inLanes } from '../../grid/lanes.ts';
import type { WordsInput } from '../../workflows/words/contract.ts';
import { compressionByContent, compressionByName, convert, headOf, readText, type Compression } from './content.ts';
import type { CountDirectory, FileVersion, SurveyedFile } from './count-directory.ts';
import { HEAD_BYTES, sniff } from './sniff.ts';

/** Files looked at at once. */
const LANES = 8;
/** Compressed bytes that are read for a head; a block of bzip2 comes whole or not at all. */
const COMPRESSED_HEAD_BYTES = 2 << 20;

export interface SurveyOptions {
  readonly hdfs: HdfsClient;
  readonly directory: CountDirectory;
  readonly root: string;
  readonly charset: WordsInput['charset'];
  /** Read these to their end: what begins well may go on otherwise. */
  readonly distrusted: ReadonlySet<string>;
  /** Read compressed files to their end. */
  readonly thorough: boolean;
  readonly signal: AbortSignal;
}

/** Looks at each file's beginning, and decides how it is counted. Copies are made of those that Hive would misread. */
export async function survey(files: readonly FileStatus[], options: SurveyOptions): Promise<readonly SurveyedFile[]> {
  const surveyed: SurveyedFile[] = [];
  const entries = files.entries();
  await inLanes(
    LANES,
    () => entries.next().value,
    async ([index, file]) => {
      options.signal.throwIfAborted();
      surveyed[index] = { ...versionOf(file), ...(await decide(file, index, options)) };
    },
  );
  return surveyed;
}

/** What tells one state of a file from another. */
export function versionOf({ path, lengthBytes, modifiedAtMs, fileId }: FileVersion): FileVersion {
  return { path, lengthBytes, modifiedAtMs, fileId };
}

/** What is counted, as messages and answers name it. */
export function subjectOf({ table, path }: WordsInput, sampleTextsDirectory: string): string {
  return table ?? (path ?? sampleTextsDirectory).replace(/(?<=.)\/+$/, '');
}

/** Names a question about the very versions of files. */
export function questionOf(input: WordsInput, of: string, files: readonly FileVersion[]): string {
  const { words, top, perFile, caseSensitive, tokenizer, charset } = input;
  const question = { of, words, top, perFile, caseSensitive, tokenizer, charset: charset ?? null };
  const hash = createHash('sha256').update(JSON.stringify(question));
  for (const file of files) hash.update(JSON.stringify(Object.values(versionOf(file))));
  return hash.digest('hex');
}

type Decision = Pick<SurveyedFile, 'reading' | 'copy' | 'reason'>;

const skipped = (reason: string): Decision => ({ reading: 'skipped', reason });

async function decide(file: FileStatus, index: number, options: SurveyOptions): Promise<Decision> {
  const { hdfs, directory, root, signal } = options;
  if (file.lengthBytes === 0) return { reading: 'empty' };
  if (file.path !== root && /\/[._]/.test(file.path.slice(root === '/' ? 0 : root.length))) {
    return skipped('its name, or a directory on the way to it, begins with _ or ., which Hadoop passes over');
  }
  const named = compressionByName(file.path);
  if (named === 'unknown') return skipped('compressed in a way that is not read here; gzip and bzip2 are');
  try {
    const raw = await headOf(await hdfs.read(file.path, { length: COMPRESSED_HEAD_BYTES }), undefined, HEAD_BYTES);
    const compression = compressionByContent(raw);
    const head = compression === undefined ? raw : await decompressedHead(hdfs, file, compression);
    const isWhole = compression === undefined ? file.lengthBytes <= HEAD_BYTES : head.length < HEAD_BYTES;
    const found = sniff(head, isWhole);
    if (found.kind === 'binary') return skipped(found.reason);
    let charset: string | undefined = found.kind === 'other-charset' ? found.charset : 'utf-8';
    if (found.kind === 'not-utf-8') {
      charset = options.charset;
      if (charset === undefined) return skipped(notUtf8(found.position));
    }
    const isToBeRead = options.distrusted.has(file.path) || (options.thorough && compression !== undefined);
    if (charset === 'utf-8' && isToBeRead && (await readToItsEnd(file, compression, options)) === 'not-utf-8') {
      charset = options.charset;
      if (charset === undefined) return skipped(notUtf8());
    }
    if (charset === 'utf-8' && named === compression && !needsAnotherName(file.path)) return { reading: 'direct' };
    const copy = directory.copyPath(index);
    await convert(hdfs, { path: file.path, compression, charset }, copy, signal);
    return { reading: 'converted', copy };
  } catch (error) {
    if (signal.aborted || error instanceof GridError) throw error;
    return skipped(
      `it cannot be read as what it seems to be: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function decompressedHead(hdfs: HdfsClient, file: FileStatus, compression: Compression): Promise<Buffer> {
  const length = Math.min(COMPRESSED_HEAD_BYTES, file.lengthBytes);
  const isCut = length < file.lengthBytes;
  // A cut piece ends in the middle of something; what came out of it before that is all that is asked for.
  const pieces: Buffer[] = [];
  try {
    return await headOf(await hdfs.read(file.path, { length }), compression, HEAD_BYTES, pieces);
  } catch (error) {
    if (error instanceof GridError || !isCut || pieces.length === 0) throw error;
    return Buffer.concat(pieces).subarray(0, HEAD_BYTES);
  }
}

async function readToItsEnd(
  { path }: FileStatus,
  compression: Compression | undefined,
  { hdfs, signal }: SurveyOptions,
): Promise<'utf-8' | 'not-utf-8'> {
  try {
    await readText(await hdfs.read(path), { compression, charset: 'utf-8' }, () => Promise.resolve(), signal);
    return 'utf-8';
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return 'not-utf-8';
    throw error;
  }
}

/** Characters that Hadoop takes for a pattern, or that no line of a list can hold; or a file asked for by a name that it passes over. */
function needsAnotherName(path: string): boolean {
  return /[\n\r*?[\]{}\\]|\/[._][^/]*$/.test(path) || path.trim() !== path;
}

function notUtf8(position?: number): string {
  const where = position === undefined ? '' : `, the first other byte at ${position}`;
  return `no UTF-8${where}; name its character set, such as {"charset": "windows-1252"}`;
}
