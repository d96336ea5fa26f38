import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { ContentDocument, PathDocument } from '../../../connectors/mongodb/legacy-catalogue.ts';
import { GridError } from '../../../grid/errors.ts';
import { MEMBER_MARK, nameText } from '../../../grid/legacy/path-text.ts';
import type { Crawl, UnitOfWork } from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import type { Budget, Identification, Member } from '../identification/identifier.ts';
import { extensionOf, memberRowId, padded } from '../landing-paths.ts';
import { SMALL_FILE_BYTES } from '../source/legacy-source.ts';
import { readLocal } from './local-bundle.ts';
import type { UnitLedger } from './unit-ledger.ts';

/** Paths that stand in a content's own document. */
const MOST_PATHS = 100;
const LONGEST_DETAIL = 1_000;

export interface Settling {
  readonly deps: DiscoveryDependencies;
  readonly crawl: Crawl;
  readonly unit: UnitOfWork;
  readonly ledger: UnitLedger;
  /** Contents that this try of the unit has come upon: what the claim of each has answered. */
  readonly claims: Map<string, Promise<ContentDocument | undefined>>;
  readonly signal: AbortSignal;
}

/** A file from the share, or a member of an archive in it, as it lies on this machine. */
export interface FoundFile {
  readonly rowId: string;
  readonly path: string;
  readonly name: string;
  readonly localPath: string;
  readonly size: number;
  readonly sha256: string;
  readonly bytes?: Buffer;
  /** Contents of the archives that it lies in, the outermost first. */
  readonly chain: readonly string[];
  readonly modifiedAtMs?: number;
  readonly stamp?: string;
}

/** The file from the share that all of this belongs to. */
export interface Outermost {
  readonly rowId: string;
  readonly path: string;
  /** What is left for it and all that is in it. */
  readonly left: { bytes: number; entries: number };
  members: number;
}

/**
 * Settles what becomes of a file: says what it is, lands its content unless that is there already, and does the same with all that lies in it. A
 * content is landed by whoever claims it first.
 *
 * @param directory on this machine, empty, for what comes out of it
 * @param depth how many archives may still lie in each other
 */
export async function settle(
  settling: Settling,
  found: FoundFile,
  outermost: Outermost,
  directory: string,
  depth: number,
): Promise<void> {
  const { deps, crawl, unit, ledger, claims, signal } = settling;
  const before = claims.get(found.sha256);
  const claimed = before ?? claim(settling, found);
  claims.set(found.sha256, claimed);
  const known = await claimed;
  // Another path of this unit lands it.
  if (before !== undefined && known === undefined) return putKnown(settling, found, outermost, undefined);
  const isOwn = known?.landedBy?.crawl === crawl.crawlId && known.landedBy.row === found.rowId;
  // What was landed by a try that was cut short may lack rows of its members; of what is looked at again some may never have been landed.
  if (known !== undefined && !isOwn && unit.again !== true) return putKnown(settling, found, outermost, known);
  const identification = await deps.identifier.identify(
    {
      path: found.localPath,
      name: found.name,
      workDirectory: directory,
      budget: { depth, bytes: outermost.left.bytes, entries: outermost.left.entries },
    },
    signal,
  );
  take(outermost, identification.used);
  for (const member of identification.members) {
    await settleMember(settling, found, member, outermost, directory, depth - 1);
  }
  if (known !== undefined) return putKnown(settling, found, outermost, known);
  await land(ledger, found, outermost, identification, crawl.crawlId);
}

function claim({ deps, crawl, unit }: Settling, { sha256, path }: FoundFile): Promise<ContentDocument | undefined> {
  const by = { crawl: crawl.crawlId, unit: `${unit.name}-${padded(unit.index)}` };
  return deps.catalogue.claim(sha256, by, path, unit.again);
}

async function land(
  ledger: UnitLedger,
  found: FoundFile,
  outermost: Outermost,
  identification: Identification,
  crawl: string,
): Promise<void> {
  const { sha256, size, localPath, bytes, chain, path, name } = found;
  const isQuarantined = identification.state === 'quarantined';
  const status = isQuarantined
    ? ('quarantined' as const)
    : identification.verdict.class === 'encrypted'
      ? ('encrypted' as const)
      : ('landed' as const);
  const row = rowOf(found, outermost, crawl, {
    outcome: status,
    ...(isQuarantined
      ? { reason: identification.reason, detail: identification.detail.slice(0, LONGEST_DETAIL) }
      : { class: identification.verdict.class, format: identification.verdict.format }),
  });
  await ledger.land(
    {
      update: {
        _id: sha256,
        status,
        size,
        paths: [path],
        landedBy: { crawl, row: found.rowId },
        landedAt: new Date(),
        extension: extensionOf(name),
        chain,
        ...(isQuarantined
          ? { quarantine: { reason: identification.reason, detail: identification.detail.slice(0, LONGEST_DETAIL) } }
          : {
              verdict: identification.verdict,
              ...(identification.contentKey === undefined ? {} : { contentKey: identification.contentKey }),
            }),
      },
      size,
      localPath,
      ...(bytes === undefined ? {} : { bytes }),
      folder: isQuarantined ? 'quarantined' : identification.verdict.class,
      ...(isQuarantined || identification.textPath === undefined ? {} : { textPath: identification.textPath }),
      ...(isQuarantined || identification.telemetryPath === undefined
        ? {}
        : { telemetryPath: identification.telemetryPath }),
    },
    row,
  );
}

/** A path of a content that lies there, or that somebody is about to land. */
async function putKnown(
  { ledger, crawl }: Settling,
  found: FoundFile,
  outermost: Outermost,
  known: ContentDocument | undefined,
): Promise<void> {
  const isOwn = known?.landedBy?.crawl === crawl.crawlId && known.landedBy.row === found.rowId;
  const status = known?.status ?? 'landing';
  const outcome =
    status === 'quarantined' || status === 'encrypted' ? status : isOwn ? 'landed' : ('duplicate' as const);
  const noted = known?.paths ?? [];
  const isNoted = noted.length >= MOST_PATHS || noted.includes(found.path);
  const row = rowOf(found, outermost, crawl.crawlId, {
    outcome,
    ...(known?.quarantine === undefined ? {} : { reason: known.quarantine.reason, detail: known.quarantine.detail }),
    ...(known?.verdict === undefined ? {} : { class: known.verdict.class, format: known.verdict.format }),
  });
  const addition = { content: found.sha256, path: found.path };
  await ledger.put(row, isNoted ? undefined : addition, known === undefined);
}

async function settleMember(
  settling: Settling,
  archive: FoundFile,
  member: Member,
  outermost: Outermost,
  directory: string,
  depth: number,
): Promise<void> {
  const { ledger, crawl, signal } = settling;
  signal.throwIfAborted();
  const number = outermost.members++;
  const name = member.name.split('/').map((part) => nameText(Buffer.from(part)));
  const base = {
    rowId: memberRowId(outermost.rowId, number),
    path: `${archive.path}${MEMBER_MARK}${name.join('/')}`,
    name: name.at(-1) ?? '',
    chain: [...archive.chain, archive.sha256],
    ...(member.modifiedMs === undefined ? {} : { modifiedAtMs: member.modifiedMs }),
  };
  if (member.path === undefined || member.refused !== undefined) {
    const reason = member.refused ?? 'damaged';
    const row = rowOf({ ...base, size: 0 }, outermost, crawl.crawlId, {
      outcome: reason === 'encrypted' ? 'encrypted' : 'quarantined',
      reason,
      ...(member.detail === undefined ? {} : { detail: member.detail.slice(0, LONGEST_DETAIL) }),
    });
    await ledger.put(row);
    return;
  }
  const content = await readMember(member.path, directory);
  // Not a name that a member has, which lies beside it.
  const below = join(directory, `in-${number}`);
  await mkdir(below, { mode: 0o700 });
  await settle(settling, { ...base, ...content, localPath: member.path }, outermost, below, depth);
  // Of a large archive only one member's own members lie there at a time.
  await rm(below, { recursive: true, force: true });
  await rm(member.path, { force: true });
}

/** @throws GridError `defect`: whoever unpacked it did not put it where it belongs */
async function readMember(path: string, directory: string): Promise<Pick<FoundFile, 'size' | 'sha256' | 'bytes'>> {
  const stats = await lstat(path);
  if (!path.startsWith(`${directory}${sep}`) || !stats.isFile()) {
    throw new GridError('defect', `Taking a member of an archive from ${path}: it is no file of its work directory.`);
  }
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  for await (const chunk of readLocal(path)) {
    hash.update(chunk);
    if (stats.size < SMALL_FILE_BYTES) kept.push(chunk);
  }
  return {
    size: stats.size,
    sha256: hash.digest('hex'),
    ...(stats.size < SMALL_FILE_BYTES ? { bytes: Buffer.concat(kept) } : {}),
  };
}

function take({ left }: Outermost, used: Budget): void {
  left.bytes = Math.max(0, left.bytes - used.bytes);
  left.entries = Math.max(0, left.entries - used.entries);
}

/** The row of a file, or of a member. */
export function rowOf(
  found: Pick<FoundFile, 'rowId' | 'path' | 'name' | 'size' | 'modifiedAtMs' | 'stamp'> & { readonly sha256?: string },
  outermost: Outermost,
  crawl: string,
  end: Pick<PathDocument, 'outcome' | 'reason' | 'detail' | 'class' | 'format'>,
): PathDocument {
  const { rowId, path, name, size, sha256, modifiedAtMs, stamp } = found;
  const now = new Date();
  return {
    _id: rowId,
    path,
    crawl,
    readBy: crawl,
    seenAt: now,
    firstSeenAt: now,
    size,
    extension: extensionOf(name),
    ...end,
    ...(sha256 === undefined ? {} : { content: sha256 }),
    ...(modifiedAtMs === undefined ? {} : { modifiedAtMs }),
    ...(stamp === undefined ? {} : { stamp }),
    ...(rowId === outermost.rowId
      ? outermost.members === 0
        ? {}
        : { members: outermost.members }
      : { outermost: outermost.path, isMember: 'yes' as const }),
  };
}
