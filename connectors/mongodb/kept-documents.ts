import { MongoClient } from 'mongodb';
import { mongodbFailure } from './failure.ts';

export interface KeptDocumentsOptions {
  readonly url: string;
  readonly database: string;
  readonly collection: string;
  /** Longest search for a server and wait for a reply, ms. */
  readonly timeoutMs: number;
}

/**
 * Documents that are kept under a name, such as answers to questions: put as a whole, found by name. Every call fails with a
 * GridError `mongodb-unavailable` or `mongodb-refused`.
 */
export class KeptDocuments {
  readonly #client: MongoClient;
  readonly #options: KeptDocumentsOptions;

  /** Connects to nothing yet. */
  constructor(options: KeptDocumentsOptions) {
    this.#options = options;
    this.#client = new MongoClient(options.url, {
      serverSelectionTimeoutMS: options.timeoutMs,
      connectTimeoutMS: options.timeoutMs,
      socketTimeoutMS: options.timeoutMs,
      writeConcern: { w: 'majority', journal: true },
      maxPoolSize: 4,
    });
  }

  /** Puts a document in the place of what was there. */
  async put(id: string, document: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      await this.#collection.replaceOne({ _id: id }, { ...document }, { upsert: true });
    } catch (error) {
      throw mongodbFailure(error, `Keeping ${id} in ${this.#name}`);
    }
  }

  /** The document without its name, or undefined. */
  async find(id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      const found = await this.#collection.findOne({ _id: id });
      if (found === null) return undefined;
      const { _id, ...document } = found;
      return document;
    } catch (error) {
      throw mongodbFailure(error, `Looking for ${id} in ${this.#name}`);
    }
  }

  /** Lets go of all connections. Never throws. */
  async close(): Promise<void> {
    await this.#client.close().catch(() => undefined);
  }

  get #collection() {
    return this.#client
      .db(this.#options.database)
      .collection<{ _id: string } & Record<string, unknown>>(this.#options.collection);
  }

  get #name(): string {
    return `${this.#options.database}.${this.#options.collection}`;
  }
}
