import { MongoClient, MongoServerError, type AnyBulkWriteOperation } from 'mongodb';
import type { Verdict } from '../../grid/legacy/verdict.ts';
import { mongodbFailure } from './failure.ts';

/** Where the bytes of a content lie in HDFS. */
export type Whereabouts =
  | { readonly kind: 'file'; readonly path: string }
  /** Within a tar file, from an offset on. */
  | { readonly kind: 'pack'; readonly path: string; readonly offset: number };

/** Who lands a content: set before its bytes are, and taken away when it is catalogued. */
export interface Claim {
  readonly crawl: string;
  readonly unit: string;
}

/** One content, whatever names it has: a document of `files`, by its SHA-256. */
export interface ContentDocument {
  readonly _id: string;
  /** `landing`: somebody has begun to land it. */
  readonly status: 'landing' | 'landed' | 'quarantined' | 'encrypted';
  readonly claim?: Claim;
  readonly size?: number;
  /** The first paths under which it was found; all are in `paths`. */
  readonly paths?: readonly string[];
  readonly landedBy?: { readonly crawl: string; readonly row: string };
  readonly landedAt?: Date;
  readonly extension?: string;
  /** Contents of the archives that it lay in when it was found first, the outermost first. */
  readonly chain?: readonly string[];
  readonly verdict?: Verdict;
  readonly quarantine?: { readonly reason: string; readonly detail: string };
  readonly where?: Whereabouts;
  /** File in HDFS that has its text, or its telemetry, among others'. */
  readonly text?: string;
  readonly telemetry?: string;
  readonly contentKey?: string;
  /** A content with the same text, in another encoding or with other line ends. */
  readonly sameTextAs?: string;
}

/** One path under which something was found: a document of `paths`. */
export interface PathDocument {
  readonly _id: string;
  readonly path: string;
  /** The last crawl that found it, and when. */
  readonly crawl: string;
  readonly seenAt: Date;
  readonly firstSeenAt: Date;
  /** What became of it in that crawl. */
  readonly outcome: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly content?: string;
  readonly size: number;
  /** Of the file's content; denormalised, for counts. */
  readonly class?: string;
  readonly format?: string;
  readonly extension?: string;
  /** Tells one state of the file from another. */
  readonly stamp?: string;
  readonly modifiedAtMs?: number;
  /** The last crawl that read its bytes; later ones found it unchanged. */
  readonly readBy?: string;
  /** Members of archives only: the path of the file that they lie in. */
  readonly outermost?: string;
  readonly isMember?: 'yes';
  /** Of a file that members were found in: their number; their rows are `<id>+<number>`. */
  readonly members?: number;
}

/** Figures of one crawl by what its rows have in common. */
export interface RowGroup {
  readonly outcome: string;
  readonly reason?: string;
  readonly class?: string;
  readonly isMember: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly example: string;
}

/** The replay of a content's readings. */
export interface ReplayDocument {
  readonly _id: string;
  /** Event times that were asked for. */
  readonly range: string;
  /** Lines of its telemetry that are done. */
  readonly lines: number;
  readonly at?: Date;
}

export interface UnknownGroup {
  readonly extension: string;
  readonly format: string;
  readonly files: number;
  readonly bytes: number;
  readonly example: string;
}

/** Changes of one content's document: its paths are added to those there. */
export type ContentUpdate = Omit<ContentDocument, 'claim' | 'paths'> & { readonly paths: readonly string[] };

export interface LegacyCatalogueOptions {
  readonly url: string;
  readonly database: string;
  /** Longest search for a server and wait for a reply, ms. */
  readonly timeoutMs: number;
}

const DUPLICATE_KEY = 11_000;
/** Asked for, or written, at once. */
const CHUNK = 500;

/**
 * The catalogue of legacy files: `files` (a document per content) and `paths` (one per path). Every call is harmless when repeated, and fails
 * with a GridError `mongodb-unavailable` or `mongodb-refused`. Only `_id` is searched for on the way; the rest are questions at the end.
 */
export class LegacyCatalogue {
  readonly #client: MongoClient;
  readonly #database: string;

  /** Connects to nothing yet. */
  constructor({ url, database, timeoutMs }: LegacyCatalogueOptions) {
    this.#database = database;
    this.#client = new MongoClient(url, {
      serverSelectionTimeoutMS: timeoutMs,
      connectTimeoutMS: timeoutMs,
      // The questions at the end of a crawl read all rows.
      socketTimeoutMS: Math.max(timeoutMs, 600_000),
      writeConcern: { w: 'majority', journal: true },
      maxPoolSize: 16,
      ignoreUndefined: true,
    });
  }

  /** Indexes for the questions at the end of a crawl, and for fetching by the path of a member. */
  async prepare(): Promise<void> {
    await this.#try('Making indexes', async () => {
      await this.#paths.createIndexes([{ key: { crawl: 1 } }, { key: { path: 1 } }, { key: { content: 1 } }]);
      await this.#files.createIndexes([{ key: { status: 1 } }, { key: { 'landedBy.crawl': 1 } }]);
    });
  }

  /**
   * Claims a content for landing. Undefined: it is the caller's, also when it was before; a claim of an earlier crawl is taken over, since that
   * one did not come to it.
   *
   * @param takesOver take it from whoever has claimed it, since that one is known not to come to it
   * @returns what is there instead
   */
  async claim(sha256: string, claim: Claim, path: string, takesOver = false): Promise<ContentDocument | undefined> {
    return this.#try(`Claiming the content ${sha256}`, async () => {
      try {
        await this.#files.insertOne({ _id: sha256, status: 'landing', claim, paths: [path] });
        return undefined;
      } catch (error) {
        if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
      }
      const found = await this.#files.findOne({ _id: sha256 });
      // Taken away in between: as if it had not been there.
      if (found === null) return this.claim(sha256, claim, path, takesOver);
      if (found.status !== 'landing') return found;
      if (found.claim?.crawl === claim.crawl && found.claim.unit === claim.unit) return undefined;
      if (found.claim?.crawl === claim.crawl && !takesOver) return found;
      await this.#files.updateOne({ _id: sha256 }, { $set: { claim } });
      return undefined;
    });
  }

  /** Contents as they are catalogued, in order: what stands later may rest on what stands before. */
  async putContents(updates: readonly ContentUpdate[]): Promise<void> {
    await this.#inChunks(updates, 'Cataloguing contents', async (chunk) => {
      const operations: AnyBulkWriteOperation<ContentDocument>[] = chunk.map(({ _id, paths, ...fields }) => ({
        updateOne: {
          filter: { _id },
          update: { $set: fields, $unset: { claim: '' }, $addToSet: { paths: { $each: [...paths] } } },
          upsert: true,
        },
      }));
      await this.#files.bulkWrite(operations, { ordered: true });
    });
  }

  async addPaths(additions: readonly { readonly content: string; readonly path: string }[]): Promise<void> {
    await this.#inChunks(additions, 'Adding paths to contents', async (chunk) => {
      const operations = chunk.map(({ content, path }) => ({
        updateOne: { filter: { _id: content }, update: { $addToSet: { paths: path } } },
      }));
      await this.#files.bulkWrite(operations, { ordered: false });
    });
  }

  async putPaths(rows: readonly PathDocument[]): Promise<void> {
    await this.#inChunks(rows, 'Cataloguing paths', async (chunk) => {
      const operations = chunk.map(({ _id, ...fields }) => ({
        replaceOne: { filter: { _id }, replacement: fields, upsert: true },
      }));
      await this.#paths.bulkWrite(operations, { ordered: true });
    });
  }

  async findPaths(ids: readonly string[]): Promise<ReadonlyMap<string, PathDocument>> {
    const found = new Map<string, PathDocument>();
    await this.#inChunks(ids, 'Looking for paths', async (chunk) => {
      for (const row of await this.#paths.find({ _id: { $in: [...chunk] } }).toArray()) found.set(row._id, row);
    });
    return found;
  }

  async findContents(ids: readonly string[]): Promise<ReadonlyMap<string, ContentDocument>> {
    const found = new Map<string, ContentDocument>();
    await this.#inChunks(ids, 'Looking for contents', async (chunk) => {
      for (const document of await this.#files.find({ _id: { $in: [...chunk] } }).toArray()) {
        found.set(document._id, document);
      }
    });
    return found;
  }

  /**
   * The first content of each key: of those given, or one that was there before.
   *
   * @param keys contents by their keys
   */
  async firstOfKeys(keys: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const first = new Map<string, string>();
    await this.#inChunks([...keys], 'Linking contents of the same text', async (chunk) => {
      const operations = chunk.map(([key, content]) => ({
        updateOne: { filter: { _id: key }, update: { $setOnInsert: { content } }, upsert: true },
      }));
      await this.#keys.bulkWrite(operations, { ordered: false });
      const ids = chunk.map(([key]) => key);
      for (const { _id, content } of await this.#keys.find({ _id: { $in: ids } }).toArray()) first.set(_id, content);
    });
    return first;
  }

  /** Claims that nobody came to, at a time when nobody lands anything. */
  async *claimed(): AsyncGenerator<ContentDocument, void, undefined> {
    yield* this.#each(`Looking for claims`, () => this.#files.find({ status: 'landing' }));
  }

  async forgetClaim(sha256: string): Promise<void> {
    await this.#try(`Forgetting the claim of ${sha256}`, () =>
      this.#files.deleteOne({ _id: sha256, status: 'landing' }),
    );
  }

  /** Rows of some contents. */
  async *pathsOf(contents: readonly string[]): AsyncGenerator<PathDocument, void, undefined> {
    for (let at = 0; at < contents.length; at += CHUNK) {
      const chunk = contents.slice(at, at + CHUNK);
      yield* this.#each('Looking for paths of contents', () => this.#paths.find({ content: { $in: chunk } }));
    }
  }

  /** Rows of one path: there are several when what lay there changed from a file to a link. */
  async findPath(path: string): Promise<PathDocument | undefined> {
    return this.#try(
      `Looking for ${path}`,
      async () => (await this.#paths.findOne({ path, content: { $exists: true } })) ?? undefined,
    );
  }

  /** The rows of a crawl, counted. */
  async groups(crawl: string): Promise<readonly RowGroup[]> {
    return this.#try(`Counting the rows of crawl ${crawl}`, async () => {
      const found = await this.#paths
        .aggregate<{ _id: Record<string, string | null>; files: number; bytes: number; example: string }>([
          { $match: { crawl } },
          {
            $group: {
              _id: { outcome: '$outcome', reason: '$reason', class: '$class', member: '$isMember' },
              files: { $sum: 1 },
              bytes: { $sum: '$size' },
              example: { $first: '$path' },
            },
          },
        ])
        .toArray();
      return found.map(({ _id, files, bytes, example }) => ({
        outcome: _id['outcome'] ?? '',
        ...(_id['reason'] == null ? {} : { reason: _id['reason'] }),
        ...(_id['class'] == null ? {} : { class: _id['class'] }),
        isMember: _id['member'] != null,
        files,
        bytes,
        example,
      }));
    });
  }

  /** Contents that a crawl has landed, by status. */
  async landedBy(crawl: string): Promise<ReadonlyMap<string, number>> {
    return this.#try(`Counting the contents of crawl ${crawl}`, async () => {
      const found = await this.#files
        .aggregate<{ _id: string; contents: number }>([
          { $match: { 'landedBy.crawl': crawl } },
          { $group: { _id: '$status', contents: { $sum: 1 } } },
        ])
        .toArray();
      return new Map(found.map(({ _id, contents }) => [_id, contents]));
    });
  }

  /** Of a crawl's rows those of unknown class, by extension and format, the most frequent first. */
  async unknowns(crawl: string, most: number): Promise<readonly UnknownGroup[]> {
    return this.#try(`Grouping what is unknown in crawl ${crawl}`, async () => {
      const found = await this.#paths
        .aggregate<{ _id: Record<string, string | null>; files: number; bytes: number; example: string }>([
          { $match: { crawl, class: 'unknown' } },
          {
            $group: {
              _id: { extension: '$extension', format: '$format' },
              files: { $sum: 1 },
              bytes: { $sum: '$size' },
              example: { $first: '$path' },
            },
          },
          { $sort: { files: -1 } },
          { $limit: most },
        ])
        .toArray();
      return found.map(({ _id, ...figures }) => ({
        extension: _id['extension'] ?? '',
        format: _id['format'] ?? '',
        ...figures,
      }));
    });
  }

  /** Keeps the report of a crawl, in the order of their beginnings. */
  async keepCrawl(crawl: string, startedAt: string, report: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#try(`Keeping the report of crawl ${crawl}`, () =>
      this.#crawls.replaceOne({ _id: `${startedAt} ${crawl}` }, { ...report }, { upsert: true }),
    );
  }

  /** Contents that readings were found in. */
  async *withTelemetry(): AsyncGenerator<ContentDocument, void, undefined> {
    yield* this.#each('Looking for telemetry', () => this.#files.find({ telemetry: { $exists: true } }));
  }

  /**
   * What is known of the replay of a content; one that was never replayed is begun with the event times that are asked for.
   *
   * @param range names the event times
   */
  async replayOf(content: string, range: string): Promise<ReplayDocument> {
    return this.#try(`Looking for the replay of ${content}`, async () => {
      await this.#replays.updateOne({ _id: content }, { $setOnInsert: { range, lines: 0 } }, { upsert: true });
      const found = await this.#replays.findOne({ _id: content });
      return found ?? { _id: content, range, lines: 0 };
    });
  }

  /** Notes how far a replay has come, for the time when Kafka has forgotten it. */
  async noteReplay(content: string, lines: number): Promise<void> {
    await this.#try(`Noting the replay of ${content}`, () =>
      this.#replays.updateOne({ _id: content }, { $set: { lines, at: new Date() } }),
    );
  }

  /** Marks a directory as visited by a crawl that follows links. False: it was visited from elsewhere. */
  async visit(crawl: string, directory: string, from: string): Promise<boolean> {
    return this.#try(`Marking a directory as visited by crawl ${crawl}`, async () => {
      const _id = `${crawl}+${directory}`;
      await this.#visits.updateOne({ _id }, { $setOnInsert: { crawl, from } }, { upsert: true });
      return (await this.#visits.findOne({ _id }))?.from === from;
    });
  }

  async forgetVisits(crawl: string): Promise<void> {
    await this.#try(`Forgetting the directories visited by crawl ${crawl}`, () => this.#visits.deleteMany({ crawl }));
  }

  /** Lets go of all connections. Never throws. */
  async close(): Promise<void> {
    await this.#client.close().catch(() => undefined);
  }

  get #files() {
    return this.#client.db(this.#database).collection<ContentDocument>('files');
  }

  get #paths() {
    return this.#client.db(this.#database).collection<PathDocument>('paths');
  }

  get #keys() {
    return this.#client.db(this.#database).collection<{ _id: string; content: string }>('contentKeys');
  }

  get #crawls() {
    return this.#client.db(this.#database).collection<{ _id: string }>('crawls');
  }

  get #replays() {
    return this.#client.db(this.#database).collection<ReplayDocument>('replays');
  }

  get #visits() {
    return this.#client.db(this.#database).collection<{ _id: string; crawl: string; from: string }>('visits');
  }

  async *#each<T>(attempt: string, cursor: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* cursor();
    } catch (error) {
      throw mongodbFailure(error, this.#in(attempt));
    }
  }

  async #inChunks<T>(all: readonly T[], attempt: string, work: (chunk: readonly T[]) => Promise<void>): Promise<void> {
    for (let at = 0; at < all.length; at += CHUNK) {
      const chunk = all.slice(at, at + CHUNK);
      await this.#try(`${attempt} (${chunk.length})`, () => work(chunk));
    }
  }

  async #try<T>(attempt: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw mongodbFailure(error, this.#in(attempt));
    }
  }

  #in(attempt: string): string {
    return `${attempt} in the catalogue ${this.#database}`;
  }
}
