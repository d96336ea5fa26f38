import { createReadStream } from 'node:fs';
import { PassThrough, pipeline, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import bunzip2 from 'unbzip2-stream';
import { printable, unsafeName } from './member-name.ts';
import type { MemberSink } from './member-sink.ts';
import type { OpenedArchive } from './zip.ts';

const OPENERS: ReadonlyMap<string, (path: string) => Readable | Promise<Readable>> = new Map<
  string,
  (path: string) => Readable | Promise<Readable>
>([
  ['application/gzip', (path: string) => through(path, createGunzip())],
  ['application/x-bzip2', (path: string) => through(path, bunzip2())],
  ['application/x-xz', xz],
]);

export const isCompressed = (mime: string): boolean => OPENERS.has(mime);

function through(path: string, stream: NodeJS.ReadWriteStream): Readable {
  const end = new PassThrough();
  pipeline(createReadStream(path), stream, end, (error) => {
    if (error) end.destroy(error);
  });
  return end;
}

async function xz(path: string): Promise<Readable> {
  const { XzReadableStream } = (await import('xz-decompress')) as unknown as {
    XzReadableStream: new (source: ReadableStream) => ReadableStream<Uint8Array>;
  };
  const source = Readable.toWeb(createReadStream(path));
  const chunks = new XzReadableStream(source);
  return Readable.from(
    (async function* () {
      for await (const chunk of chunks) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    })(),
  );
}

/** Takes the one member out of a compressed file; checksums are checked by those who decompress. */
export async function decompress(
  path: string,
  mime: string,
  head: Buffer,
  name: string | undefined,
  sink: MemberSink,
): Promise<OpenedArchive> {
  const opener = OPENERS.get(mime);
  if (opener === undefined) return { warnings: [`${mime} is not opened`], facts: {} };
  if (!sink.count()) {
    sink.refuse('(content)', 'budget');
    return { warnings: [], facts: {} };
  }
  const inner = gzipName(head, mime) ?? innerName(name);
  const shown = printable(inner);
  const stream = await opener(path);
  stream.on('error', () => undefined);
  await sink.take(unsafeName(inner) === undefined ? shown : printable(inner.replace(/^.*[\\/]/, '')), () => stream, {});
  const [member] = sink.members;
  const isDamaged = member?.refused === 'damaged';
  return {
    warnings: [],
    ...(isDamaged ? { damage: member.detail ?? 'it cannot be decompressed' } : {}),
    facts: { members: 1 },
  };
}

function gzipName(head: Buffer, mime: string): string | undefined {
  if (mime !== 'application/gzip' || ((head[3] ?? 0) & 0x08) === 0 || ((head[3] ?? 0) & 0x04) !== 0) return undefined;
  const end = head.indexOf(0, 10);
  return end > 10 && end < 300 ? head.subarray(10, end).toString('latin1') : undefined;
}

function innerName(name: string | undefined): string {
  const base = name?.replace(/^.*[\\/]/, '') ?? '';
  const inner = base.replace(/\.(?:gz|bz2|xz|z)$/i, '').replace(/\.(?:tgz|tbz2?|txz)$/i, '.tar');
  return inner === '' ? 'content' : inner;
}
