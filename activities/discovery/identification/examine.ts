import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from '../../../grid/legacy/verdict.ts';
import { decompress, isCompressed } from './archive/compressed.ts';
import { MemberSink } from './archive/member-sink.ts';
import { officeKind, writeOfficeText } from './archive/office.ts';
import { unpackTar } from './archive/tar.ts';
import { openZip, unpackZip, type OpenedArchive } from './archive/zip.ts';
import { detectCharset } from './charset/detect.ts';
import { byteOrderMark } from './charset/unicode.ts';
import { findComtradeBinary, findMixedComtrade } from './comtrade/find.ts';
import { examineText } from './examine-text.ts';
import type { Budget, Identification, IdentificationRequest, Member, QuarantineReason } from './identifier.ts';
import { contradiction, nameEvidence } from './name-evidence.ts';
import { reclassify } from './rules/rules.ts';
import { missingEnd, signatureOf } from './signature.ts';
import type { Finding } from './text/sample.ts';

export interface ExaminationRequest extends Omit<IdentificationRequest, 'name'> {
  readonly name?: string;
  /** Bytes of text and rows that may be written. */
  readonly outputBytes: number;
}

/** So much of a file is looked at before it is known what it is. */
const HEAD_BYTES = 256 << 10;
const TAIL_BYTES = 64 << 10;
const NOTHING_USED: Budget = { depth: 0, bytes: 0, entries: 0 };

/** What has come out so far. */
interface Examined {
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly members: readonly Member[];
  readonly used: Budget;
  readonly charset?: string;
  readonly textPath?: string;
  readonly telemetryPath?: string;
  readonly contentKey?: string;
}

/** Looks at one file: what it is, what is in it, what its text says. Runs in a child process. */
export async function examine(request: ExaminationRequest): Promise<Identification> {
  let descriptor: number;
  try {
    descriptor = openUntouched(request.path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return quarantined(code === 'ENOENT' ? 'changed' : 'unreadable', message);
  }
  try {
    const before = fstatSync(descriptor);
    if (!before.isFile()) return quarantined('unreadable', 'it is no regular file');
    const examined = await examineOpen(descriptor, before.size, request);
    const after = fstatSync(descriptor);
    if (isChanged(before, after)) return quarantined('changed', `it had ${before.size} bytes, then ${after.size}`);
    return identified(examined, request.name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EIO' || code === 'EACCES') return quarantined('unreadable', message);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

const isChanged = (before: Stats, after: Stats): boolean =>
  before.size !== after.size || before.mtimeMs !== after.mtimeMs;

/** Without an access time where the system lets the owner ask for that. */
function openUntouched(path: string): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    return openSync(path, flags | (process.platform === 'linux' ? constants.O_NOATIME : 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return openSync(path, flags);
  }
}

function quarantined(reason: QuarantineReason, detail: string): Identification {
  return { state: 'quarantined', reason, detail: detail.slice(0, 300), members: [], used: NOTHING_USED };
}

async function examineOpen(descriptor: number, size: number, request: ExaminationRequest): Promise<Examined> {
  const nothing = { warnings: [], facts: {}, members: [], used: NOTHING_USED };
  if (size === 0)
    return {
      ...nothing,
      findings: [{ detector: 'empty', found: 'no bytes', weight: 1, format: 'application/x-empty' }],
    };
  const head = read(descriptor, 0, HEAD_BYTES);
  // Sample number 1 as its first bytes is also how some old formats begin.
  const binary = findComtradeBinary(head, size);
  if (binary !== undefined) return { ...nothing, findings: [binary] };
  // A mark of UTF-16 is also how sound in MP3 may begin; what follows it decides.
  const signature = byteOrderMark(head) === undefined ? await signatureOf(head, descriptor, size) : undefined;
  if (signature !== undefined) {
    const { mime, finding } = signature;
    const unpacked = await unpack(mime, descriptor, size, head, request);
    // An office document is a zip, but no archive.
    if (unpacked?.textPath !== undefined) return unpacked;
    if (unpacked !== undefined) return { ...unpacked, findings: [finding, ...unpacked.findings] };
    const damage = missingEnd(mime, read(descriptor, Math.max(0, size - TAIL_BYTES), TAIL_BYTES));
    const findings = damage === undefined ? [finding] : [finding, { detector: 'damage', found: damage, weight: 0.9 }];
    const isPacked = finding.detector === 'signature-archive';
    return { ...nothing, findings, warnings: isPacked ? ['archives of this kind are not opened'] : [] };
  }
  const charset = detectCharset(head, size <= head.length);
  if (charset.kind === 'binary') {
    const mixed = findMixedComtrade(head);
    if (mixed !== undefined) return { ...nothing, findings: [mixed] };
    const found = `${charset.reason}; ${entropy(head).toFixed(1)} bits of entropy a byte`;
    return { ...nothing, findings: [{ detector: 'binary', found, weight: 0, format: 'application/octet-stream' }] };
  }
  const { workDirectory, name } = request;
  const text = examineText(descriptor, charset, head, size <= head.length, {
    name,
    workDirectory,
    output: { leftBytes: request.outputBytes },
  });
  return {
    ...nothing,
    findings: [{ detector: 'charset', found: charset.found, weight: 0, format: 'text/plain' }, ...text.findings],
    warnings: text.warnings,
    facts: {
      charsetConfidence: charset.confidence,
      ...(text.telemetry === undefined ? {} : { telemetry: text.telemetry }),
    },
    charset: charset.charset,
    textPath: text.textPath,
    ...(text.telemetryPath === undefined ? {} : { telemetryPath: text.telemetryPath }),
    contentKey: text.contentKey,
  };
}

/** Opens an archive. @returns undefined: it is none, or of a kind that is not opened */
async function unpack(
  mime: string,
  descriptor: number,
  size: number,
  head: Buffer,
  request: ExaminationRequest,
): Promise<Examined | undefined> {
  const { path, workDirectory, budget } = request;
  const sink = new MemberSink(workDirectory, budget, size);
  const archive = async (opening: Promise<OpenedArchive>): Promise<Examined> => {
    const { damage, isEncrypted = false, warnings, facts } = await opening;
    const findings: Finding[] = [];
    if (damage !== undefined) findings.push({ detector: 'damage', found: damage, weight: 0.95 });
    if (isEncrypted)
      findings.push({ detector: 'signature-encrypted', found: 'all members are encrypted', weight: 0.95 });
    return { findings, warnings, facts, members: sink.members, used: sink.used };
  };
  if (['PK\u0003\u0004', 'PK\u0005\u0006'].includes(head.subarray(0, 4).toString('latin1'))) {
    const zip = await openZip(path, descriptor, size, budget);
    const kind = typeof zip === 'string' ? undefined : await officeKind(zip).catch(() => undefined);
    if (typeof zip !== 'string' && kind !== undefined) {
      const textPath = join(workDirectory, 'text');
      const { sheets, warnings } = await writeOfficeText(zip, kind, textPath, { leftBytes: request.outputBytes });
      const finding: Finding = {
        detector: `signature-${kind.class}`,
        found: 'parts of an office document',
        weight: 0.99,
        format: kind.format,
      };
      const facts = { parts: zip.entries.length, ...(sheets.length === 0 ? {} : { sheets }) };
      return {
        findings: [finding],
        warnings: [...zip.directory.warnings, ...warnings],
        facts,
        members: [],
        used: NOTHING_USED,
        textPath,
      };
    }
    if (typeof zip === 'string') return archive(Promise.resolve({ damage: zip, warnings: [], facts: {} }));
    return archive(unpackZip(zip, size, sink));
  }
  if (mime === 'application/x-tar') return archive(unpackTar(path, sink));
  return isCompressed(mime) ? archive(decompress(path, mime, head, request.name, sink)) : undefined;
}

function identified(examined: Examined, name: string | undefined): Identification {
  const { findings, members, used, textPath, telemetryPath, contentKey, charset } = examined;
  const evidence = [
    ...findings.map(({ detector, found, weight }) => ({ detector, found, weight: Math.round(weight * 1_000) / 1_000 })),
    ...nameEvidence(name),
  ];
  const classified = reclassify(evidence);
  const lie = contradiction(name, classified.class);
  const warnings = [
    ...new Set([
      ...findings.flatMap((finding) => finding.warnings ?? []),
      ...examined.warnings,
      ...(lie === undefined ? [] : [lie]),
    ]),
  ];
  const facts = Object.assign(
    {},
    ...findings.map((finding) => finding.facts ?? {}),
    examined.facts,
  ) as Verdict['facts'];
  const isTelemetry = classified.class === 'telemetry';
  return {
    state: 'identified',
    verdict: {
      ...classified,
      format: formatOf(findings, classified.class),
      evidence,
      warnings: warnings.slice(0, 100),
      facts,
      ...(charset === undefined ? {} : { charset }),
    },
    members,
    used,
    ...(textPath === undefined ? {} : { textPath }),
    ...(telemetryPath === undefined || !isTelemetry ? {} : { telemetryPath }),
    ...(contentKey === undefined ? {} : { contentKey }),
  };
}

/** The format that speaks for the class; of an unknown one, the most certain. */
function formatOf(findings: readonly Finding[], name: Verdict['class']): string {
  const speaking = findings.filter(
    ({ detector, weight }) => reclassify([{ detector, found: '', weight: Math.max(weight, 0.999) }]).class === name,
  );
  const ranked = (speaking.length > 0 ? speaking : findings).toSorted((one, other) => other.weight - one.weight);
  return (
    ranked.find(({ format }) => format !== undefined)?.format ??
    findings.find(({ format }) => format !== undefined)?.format ??
    'application/octet-stream'
  );
}

function entropy(bytes: Buffer): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  return bits;
}

function read(descriptor: number, position: number, most: number): Buffer {
  const buffer = Buffer.allocUnsafe(most);
  let filled = 0;
  while (filled < most) {
    const length = readSync(descriptor, buffer, filled, most - filled, position + filled);
    if (length === 0) break;
    filled += length;
  }
  // Small files are many: a copy lets go of the large buffer.
  return filled < most / 2 ? Buffer.from(buffer.subarray(0, filled)) : buffer.subarray(0, filled);
}
