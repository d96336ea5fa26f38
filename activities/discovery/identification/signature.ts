import { readSync } from 'node:fs';
import { fileTypeFromBuffer } from 'file-type';
import type { Finding } from './text/sample.ts';

/** A signature says that it is binary; of some formats, that it is text after all. */
export interface Signature {
  readonly finding: Finding;
  readonly mime: string;
}

/** Text with a signature: it is looked at as text. */
const TEXTUAL = new Set([
  'application/xml',
  'application/rtf',
  'text/calendar',
  'text/vcard',
  'application/postscript',
  'image/svg+xml',
  'text/vtt',
  'application/x-subrip',
  'application/eps',
]);

const CLASSES = new Map<string, readonly string[]>([
  [
    'archive',
    [
      'application/zip',
      'application/x-tar',
      'application/gzip',
      'application/x-bzip2',
      'application/x-xz',
      'application/x-7z-compressed',
      'application/x-rar-compressed',
      'application/zstd',
      'application/x-lz4',
      'application/x-lzip',
      'application/x-compress',
      'application/x-cpio',
      'application/vnd.ms-cab-compressed',
      'application/x-unix-archive',
      'application/x-ace-compressed',
      'application/x-arj',
      'application/x-lzh-compressed',
      'application/java-archive',
      'application/vnd.android.package-archive',
      'application/x-deb',
      'application/x-rpm',
      'application/x-asar',
      'application/x-xpinstall',
      'application/x-google-chrome-extension',
      'application/x-apple-diskimage',
      'application/x-iso9660-image',
    ],
  ],
  [
    'executable',
    [
      'application/x-elf',
      'application/x-msdownload',
      'application/x-mach-binary',
      'application/wasm',
      'application/java-vm',
      'application/x-msi',
      'application/x-nintendo-nes-rom',
      'application/x-ms-shortcut',
      'application/x.ms.shortcut',
    ],
  ],
  [
    'database',
    [
      'application/x-sqlite3',
      'application/x-parquet',
      'application/vnd.apache.parquet',
      'application/avro',
      'application/vnd.apache.avro',
      'application/x-access',
      'application/x-dbf',
      'application/x-hdf5',
      'application/vnd.apache.arrow.file',
    ],
  ],
  [
    'document',
    [
      'application/pdf',
      'application/msword',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/vnd.ms-word.document.macroenabled.12',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.template',
      'application/vnd.openxmlformats-officedocument.presentationml.presentation',
      'application/vnd.openxmlformats-officedocument.presentationml.slideshow',
      'application/vnd.ms-powerpoint.presentation.macroenabled.12',
      'application/vnd.ms-powerpoint',
      'application/vnd.oasis.opendocument.text',
      'application/vnd.oasis.opendocument.presentation',
      'application/vnd.oasis.opendocument.text-template',
      'application/epub+zip',
      'application/x-mobipocket-ebook',
      'application/vnd.visio',
      'application/x-indesign',
    ],
  ],
  [
    'spreadsheet',
    [
      'application/vnd.ms-excel',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.template',
      'application/vnd.ms-excel.sheet.macroenabled.12',
      'application/vnd.oasis.opendocument.spreadsheet',
      'application/vnd.oasis.opendocument.spreadsheet-template',
    ],
  ],
  [
    'encrypted',
    [
      'application/pgp-encrypted',
      'application/x-luks',
      'application/x-age-encryption',
      'application/x-openssl-salted',
      'application/x-encrypted-office',
    ],
  ],
  ['correspondence', ['application/vnd.ms-outlook', 'application/x-pst']],
  ['event-log', ['application/x-evtx']],
]);

/** What a signature says, in the first bytes; @param descriptor of the file, for what lies further on */
export async function signatureOf(head: Buffer, descriptor: number, size: number): Promise<Signature | undefined> {
  const own = ownSignature(head, descriptor, size);
  const type = own ?? (await fileTypeFromBuffer(head).catch(() => undefined))?.mime;
  if (type === undefined || TEXTUAL.has(type)) return undefined;
  // Two letters or zero bytes are no proof: an old recording of sound and much else begins so.
  if (type === 'application/x-ft-apple.keynote') return undefined;
  const mime = type === 'application/x-cfb' ? compoundType(head, descriptor) : type;
  const named = [...CLASSES].find(([, types]) => types.includes(mime))?.[0];
  const kind = named ?? (mime.startsWith('image/') && mime !== 'image/vnd.dwg' ? 'image' : undefined);
  return {
    mime,
    finding: {
      detector: kind === undefined ? 'signature' : `signature-${kind}`,
      found: `the signature of ${mime}`,
      weight: 0.97,
      format: mime,
    },
  };
}

function ownSignature(head: Buffer, descriptor: number, size: number): string | undefined {
  const latin = head.subarray(0, 64).toString('latin1');
  if (latin.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (latin.startsWith('Salted__')) return 'application/x-openssl-salted';
  if (latin.startsWith('LUKS\xba\xbe')) return 'application/x-luks';
  if (latin.startsWith('age-encryption.org/')) return 'application/x-age-encryption';
  if (/^-----BEGIN (?:PGP MESSAGE|ENCRYPTED PRIVATE KEY)/.test(latin)) return 'application/pgp-encrypted';
  if (latin.startsWith('ElfFile\0')) return 'application/x-evtx';
  if (/^.{4}Standard (?:Jet|ACE) DB/.test(latin)) return 'application/x-access';
  if (latin.startsWith('\x89HDF\r\n\x1a\n')) return 'application/x-hdf5';
  if (isTar(head)) return 'application/x-tar';
  return isDbase(head, descriptor, size) ? 'application/x-dbf' : undefined;
}

/** A header of tar carries a checksum of itself, also where it is older than the word `ustar`. */
export function isTar(head: Buffer): boolean {
  if (head.length < 512) return false;
  const stored = parseInt(
    head
      .subarray(148, 156)
      .toString('latin1')
      .replace(/[\0 ].*$/, '')
      .trim() || head.subarray(148, 156).toString('latin1').trim(),
    8,
  );
  if (!Number.isFinite(stored) || stored === 0) return false;
  let sum = 8 * 0x20;
  for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += head[at] ?? 0;
  return sum === stored;
}

/** dBase: fields of 32 bytes up to a carriage return, and as many bytes as records need. */
function isDbase(head: Buffer, _descriptor: number, size: number): boolean {
  if (head.length < 65 || ![0x03, 0x30, 0x83, 0x8b, 0xf5].includes(head[0] ?? 0)) return false;
  const [month, day] = [head[2] ?? 0, head[3] ?? 0];
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  const [records, headerBytes, recordBytes] = [head.readUInt32LE(4), head.readUInt16LE(8), head.readUInt16LE(10)];
  if (headerBytes < 65 || headerBytes > head.length || recordBytes < 2) return false;
  const isClosed = head[headerBytes - 1] === 0x0d || head[headerBytes - 1 - ((headerBytes - 33) % 32)] === 0x0d;
  return isClosed && Math.abs(headerBytes + records * recordBytes - size) <= 512;
}

/** Names of streams in a compound file tell what program wrote it. */
function compoundType(head: Buffer, descriptor: number): string {
  if (head.length < 512) return 'application/x-cfb';
  const sectorBytes = 1 << Math.min(12, Math.max(9, head.readUInt16LE(30)));
  const directory = Buffer.alloc(64 << 10);
  const length = readSync(descriptor, directory, 0, directory.length, (head.readUInt32LE(48) + 1) * sectorBytes);
  const names = `${directory.subarray(0, length).toString('utf16le')}${head.toString('utf16le')}`;
  const kinds = [
    ['EncryptedPackage', 'application/x-encrypted-office'],
    ['__substg1.0_', 'application/vnd.ms-outlook'],
    ['__properties_version1.0', 'application/vnd.ms-outlook'],
    ['WordDocument', 'application/msword'],
    ['Workbook', 'application/vnd.ms-excel'],
    ['PowerPoint Document', 'application/vnd.ms-powerpoint'],
    ['VisioDocument', 'application/vnd.visio'],
    ['Book\0', 'application/vnd.ms-excel'],
  ] as const;
  return kinds.find(([name]) => names.includes(name))?.[1] ?? 'application/x-cfb';
}

/** Where the format says how it ends, and it does not end so. */
export function missingEnd(mime: string, tail: Buffer): string | undefined {
  switch (mime) {
    case 'image/png':
      return tail.includes('IEND') ? undefined : 'it has no IEND: it was cut';
    case 'image/jpeg':
      return tail.includes(Buffer.of(0xff, 0xd9)) ? undefined : 'it has no end marker: it was cut';
    case 'image/gif':
      return tail.includes(0x3b) ? undefined : 'it has no trailer: it was cut';
    case 'application/pdf':
      return tail.includes('%%EOF') || tail.includes('startxref')
        ? undefined
        : 'it has no end of file mark: it was cut';
    default:
      return undefined;
  }
}
