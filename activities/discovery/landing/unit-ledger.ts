import type { ContentUpdate, PathDocument, Whereabouts } from '../../../connectors/mongodb/legacy-catalogue.ts';
import { NO_FILES, OUTCOMES, type Crawl, type Tally, type UnitOfWork } from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import { LandingPaths, padded } from '../landing-paths.ts';
import { SMALL_FILE_BYTES } from '../source/legacy-source.ts';
import { contentsOf, telemetryLines, textLines } from './bundle-lines.ts';
import { LandingChain, upload } from './landing-chain.ts';
import { LocalBundle, LocalPack, packEntries, readLocal } from './local-bundle.ts';

/** As much as is landed, and after a failure repeated, at a time. */
const FLUSH_BYTES = 64 << 20;
const FLUSH_ROWS = 1_000;

export interface LedgerOptions {
  readonly deps: DiscoveryDependencies;
  readonly crawl: Crawl;
  readonly unit: UnitOfWork;
  /** On this machine, empty. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** A content that is to be landed, with its bytes on this machine. */
export interface NewContent {
  readonly update: Omit<ContentUpdate, 'where' | 'text' | 'telemetry'>;
  readonly size: number;
  readonly localPath: string;
  /** When they are few. */
  readonly bytes?: Buffer;
  /** Its class, or `quarantined`. */
  readonly folder: string;
  readonly textPath?: string;
  readonly telemetryPath?: string;
}

/** What the rows of a content say of it. */
type Landed = Pick<PathDocument, 'outcome' | 'reason' | 'detail' | 'class' | 'format'>;

/** Lines of contents that go to HDFS together: their text, or their telemetry. */
interface LineBundle {
  readonly local: LocalBundle;
  readonly chain: LandingChain;
  /** Where those lie that an earlier try has put there. */
  readonly adopted: Map<string, string>;
}

/**
 * What one unit of work lands: small contents in packs, large ones by themselves, text and telemetry in bundles, all of which come to their names in
 * HDFS before the catalogue speaks of them, contents before their paths, and members before their archive. So whatever is cut short is found by
 * the next try, and done again without harm.
 */
export class UnitLedger {
  readonly #options: LedgerOptions;
  readonly #paths: LandingPaths;
  readonly #temporaryDirectory: string;
  readonly #pack: LocalPack;
  readonly #packs: LandingChain;
  /** Where small contents lie that an earlier try has put there, by their names in packs. */
  readonly #packed = new Map<string, Whereabouts>();
  readonly #text: LineBundle;
  readonly #telemetry: LineBundle;
  #packHasEntries = false;
  #contents: ContentUpdate[] = [];
  #additions: { content: string; path: string }[] = [];
  #rows: PathDocument[] = [];
  /** Rows of contents that this unit is about to land by another path, and what became of such contents. */
  #waiting: PathDocument[] = [];
  readonly #landed = new Map<string, Landed>();
  #largeBytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #tally: Tally = NO_FILES;

  private constructor(options: LedgerOptions) {
    const { deps, crawl, unit, directory } = options;
    this.#options = options;
    const paths = new LandingPaths(deps.options.directory);
    const name = `${unit.name}-${padded(unit.index)}`;
    this.#paths = paths;
    this.#temporaryDirectory = `${paths.crawl(crawl.crawlId)}/temporary`;
    const chain = (pathOf: (number: number) => string): LandingChain =>
      new LandingChain(deps.hdfs, pathOf, this.#temporaryDirectory);
    const lines = (file: string, pathOf: (number: number) => string): LineBundle => ({
      local: new LocalBundle(directory, file),
      chain: chain(pathOf),
      adopted: new Map(),
    });
    this.#pack = new LocalPack(directory);
    this.#packs = chain((number) => paths.pack(name, number));
    this.#text = lines('text.tsv', (number) => paths.text(name, number));
    this.#telemetry = lines('telemetry.tsv', (number) => paths.telemetry(name, number));
  }

  /** Takes up what earlier tries of the unit have put into HDFS. */
  static async open(options: LedgerOptions): Promise<UnitLedger> {
    const ledger = new UnitLedger(options);
    await ledger.#adopt();
    return ledger;
  }

  get tally(): Tally {
    return this.#tally;
  }

  /** Lands a content that the unit has claimed, and the row of the path under which it was found. */
  async land(content: NewContent, row: PathDocument): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const isSmall = content.bytes !== undefined && content.size < SMALL_FILE_BYTES;
    const own = isSmall ? undefined : await this.#putLarge(content);
    await this.#inTurn(async () => {
      const where = own ?? (await this.#putSmall(content));
      const sha256 = content.update._id;
      const { textPath, telemetryPath } = content;
      const text = textPath && (await this.#putLines(this.#text, sha256, textLines(sha256, readLocal(textPath))));
      const telemetry =
        telemetryPath && (await this.#putLines(this.#telemetry, sha256, telemetryLines(sha256, telemetryPath)));
      this.#contents.push({
        ...content.update,
        where,
        ...(text === undefined || text === '' ? {} : { text }),
        ...(telemetry === undefined || telemetry === '' ? {} : { telemetry }),
      });
      if (!isSmall) this.#largeBytes += content.size;
      this.#rows.push(row);
      const { outcome, reason, detail, class: kind, format } = row;
      this.#landed.set(sha256, {
        outcome: outcome === 'landed' ? 'duplicate' : outcome,
        ...(reason === undefined ? {} : { reason }),
        ...(detail === undefined ? {} : { detail }),
        ...(kind === undefined ? {} : { class: kind }),
        ...(format === undefined ? {} : { format }),
      });
      if (this.#isFull()) await this.#flush();
    });
  }

  /**
   * A path whose content lies there, or is nowhere to be had.
   *
   * @param isAwaited this unit is about to land its content: only then is known what became of it
   */
  async put(
    row: PathDocument,
    addition?: { readonly content: string; readonly path: string },
    isAwaited = false,
  ): Promise<void> {
    await this.#inTurn(async () => {
      if (addition !== undefined) this.#additions.push(addition);
      if (isAwaited) this.#waiting.push(row);
      else this.#rows.push(row);
      if (this.#isFull()) await this.#flush();
    });
  }

  /** Of a row that stands as it is. */
  count(row: PathDocument): void {
    const outcome = OUTCOMES.find((name) => name === row.outcome);
    if (outcome === undefined) return;
    const { size, isMember, readBy } = row;
    const tally = this.#tally;
    this.#tally = {
      ...tally,
      discovered: tally.discovered + 1,
      bytes: tally.bytes + size,
      [outcome]: tally[outcome] + 1,
      members: tally.members + (isMember === undefined ? 0 : 1),
      unchanged: tally.unchanged + (readBy === this.#options.crawl.crawlId ? 0 : 1),
    };
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#flush();
      // What nobody came to: the last rows say so at least.
      this.#rows.push(...this.#waiting.splice(0));
      await this.#flush();
    });
  }

  /** Rows that need wait no more. */
  #settleWaiting(): void {
    const waiting = this.#waiting.splice(0);
    for (const row of waiting) {
      const landed = this.#landed.get(row.content ?? '');
      if (landed === undefined) this.#waiting.push(row);
      else this.#rows.push({ ...row, ...landed });
    }
  }

  #isFull(): boolean {
    const { lengthBytes } = this.#text.local;
    return (
      this.#rows.length >= FLUSH_ROWS ||
      [this.#pack.lengthBytes, lengthBytes, this.#telemetry.local.lengthBytes, this.#largeBytes].some(
        (bytes) => bytes >= FLUSH_BYTES,
      )
    );
  }

  /** One after the other, whoever calls; after a failure nothing more is put. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }

  async #adopt(): Promise<void> {
    const { hdfs } = this.#options.deps;
    await this.#packs.adopt(async (path) => {
      for (const [name, offset] of await packEntries(await hdfs.read(path))) {
        this.#packed.set(name, { kind: 'pack', path, offset });
      }
    });
    for (const { chain, adopted } of [this.#text, this.#telemetry]) {
      await chain.adopt(async (path) => {
        for (const sha256 of await contentsOf(await hdfs.read(path))) adopted.set(sha256, path);
      });
    }
  }

  async #putSmall({ update, bytes = Buffer.alloc(0) }: NewContent): Promise<Whereabouts> {
    const name = `${update._id}.${update.extension ?? 'bin'}`;
    const adopted = this.#packed.get(name);
    if (adopted !== undefined) return adopted;
    const offset = await this.#pack.add(name, bytes);
    this.#packHasEntries = true;
    return { kind: 'pack', path: this.#packs.nextPath, offset };
  }

  async #putLarge({ update, size, localPath, folder }: NewContent): Promise<Whereabouts> {
    const { deps, signal } = this.#options;
    const path = this.#paths.file(folder, update._id, update.extension ?? 'bin');
    const where: Whereabouts = { kind: 'file', path };
    if ((await deps.hdfs.status(path))?.lengthBytes === size) return where;
    await deps.hdfs.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    const temporary = await upload(deps.hdfs, localPath, this.#temporaryDirectory, signal);
    // False: whoever was first has put the same bytes there, since only what is proven gets such a name.
    if (!(await deps.hdfs.rename(temporary, path))) await deps.hdfs.delete(temporary);
    return where;
  }

  /** @returns where they will lie */
  async #putLines(
    { local, chain, adopted }: LineBundle,
    sha256: string,
    lines: AsyncIterable<Buffer>,
  ): Promise<string | undefined> {
    const there = adopted.get(sha256);
    if (there !== undefined) return there;
    const before = local.lengthBytes;
    for await (const chunk of lines) await local.append(chunk);
    return local.lengthBytes === before ? undefined : chain.nextPath;
  }

  async #flush(): Promise<void> {
    const { deps, signal } = this.#options;
    for (const { local, chain } of [this.#text, this.#telemetry]) {
      if (local.lengthBytes === 0) continue;
      await local.close();
      await chain.put(local.path, signal);
      await local.clear();
    }
    if (this.#packHasEntries) {
      await this.#pack.close();
      await this.#packs.put(this.#pack.path, signal);
      await this.#pack.clear();
      this.#packHasEntries = false;
    }
    await deps.catalogue.putContents(await this.#linked(this.#contents));
    this.#contents = [];
    await deps.catalogue.addPaths(this.#additions);
    this.#additions = [];
    this.#settleWaiting();
    await deps.catalogue.putPaths(this.#rows);
    for (const row of this.#rows) this.count(row);
    this.#rows = [];
    this.#largeBytes = 0;
  }

  /** Contents that say the same as one that was there before are linked to it. */
  async #linked(contents: readonly ContentUpdate[]): Promise<readonly ContentUpdate[]> {
    const keys = new Map<string, string>();
    for (const { contentKey, _id } of contents) {
      if (contentKey !== undefined && !keys.has(contentKey)) keys.set(contentKey, _id);
    }
    if (keys.size === 0) return contents;
    const first = await this.#options.deps.catalogue.firstOfKeys(keys);
    return contents.map((content) => {
      const sameTextAs = content.contentKey === undefined ? undefined : first.get(content.contentKey);
      return sameTextAs === undefined || sameTextAs === content._id ? content : { ...content, sameTextAs };
    });
  }
}
