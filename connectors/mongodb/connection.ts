import { MongoClient, type Db } from 'mongodb';
import type { Logger } from '../../runtime/logger.ts';
import { insertOutcome, mongodbFailure } from './failure.ts';

export interface MongodbOptions {
  /** `mongodb://` or `mongodb+srv://`. */
  readonly url: string;
  readonly database: string;
  readonly logger: Logger;
  /** Shown in the server's log and `currentOp`. */
  readonly applicationName: string;
  /** Longest search for a server that takes writes, milliseconds; default 3,000. */
  readonly selectionTimeoutMs?: number;
  /** Longest wait for a connection, and for an answer to the driver's heartbeat, milliseconds; default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for a reply, milliseconds; default 30,000. */
  readonly replyTimeoutMs?: number;
}

/** A document as it is inserted; values are what the driver takes. */
export interface NewDocument {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/**
 * A pool of connections to one MongoDB database. Every call is bounded in time and fails with a GridError
 * `mongodb-unavailable` or `mongodb-refused`.
 */
export class MongodbConnection {
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #address: string;

  constructor(options: MongodbOptions) {
    const replyTimeoutMs = options.replyTimeoutMs ?? 30_000;
    this.#client = new MongoClient(options.url, {
      appName: options.applicationName,
      serverSelectionTimeoutMS: options.selectionTimeoutMs ?? 3_000,
      // A heartbeat that takes longer breaks off all that is under way, so a busy server must be given time.
      connectTimeoutMS: options.connectTimeoutMs ?? 10_000,
      socketTimeoutMS: replyTimeoutMs,
      waitQueueTimeoutMS: replyTimeoutMs,
      // A document that a majority has in its journal outlives any crash and election, so its offset may be committed.
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: Math.floor(replyTimeoutMs * 0.8) },
    });
    this.#database = this.#client.db(options.database);
    this.#address = `MongoDB at ${this.#client.options.hosts.map(String).join(',') || 'its SRV name'}, database ${options.database}`;
    this.#client.on('serverHeartbeatFailed', ({ connectionId, failure }) => {
      options.logger.debug({ err: failure, server: connectionId }, 'MongoDB does not answer');
    });
  }

  /** Resolves when MongoDB answers; waits at most the selection and reply time limits. */
  async whenReady(): Promise<void> {
    try {
      await this.#database.command({ ping: 1 });
    } catch (error) {
      throw mongodbFailure(error, `Connecting to ${this.#address}`);
    }
  }

  /**
   * Inserts those documents that are not there yet, by `_id`; what is there is left as it is. When it fails, any of them
   * may have been inserted: do it again.
   *
   * @returns how many were inserted.
   */
  async insertNew(collection: string, documents: readonly NewDocument[]): Promise<number> {
    if (documents.length === 0) return 0;
    const attempt = `Inserting ${documents.length} documents into ${collection} (${this.#address})`;
    try {
      await this.#database.collection<NewDocument>(collection).insertMany([...documents], { ordered: false });
      return documents.length;
    } catch (error) {
      const outcome = insertOutcome(error, attempt);
      if (outcome.kind === 'failed') throw outcome.error;
      // Counted here: some servers count refused documents as inserted.
      return documents.length - outcome.documents;
    }
  }

  /** How many documents a collection has, by its own count, which is cheap; 0 when there is no such collection. */
  async estimatedCount(collection: string): Promise<number> {
    try {
      return await this.#database.collection(collection).estimatedDocumentCount();
    } catch (error) {
      throw mongodbFailure(error, `Counting the documents of ${collection} (${this.#address})`);
    }
  }

  /** Lets go of all connections; what is under way fails. Never throws. */
  async close(): Promise<void> {
    await this.#client.close().catch(() => undefined);
  }
}
