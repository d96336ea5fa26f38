import { MongoClient, type Filter } from 'mongodb';
import { exactFraction } from './exact-number.ts';
import { mongodbFailure } from './failure.ts';

export interface StoredDocumentsOptions {
  readonly url: string;
  /** Longest search for a server, ms. */
  readonly selectionTimeoutMs: number;
  /** Longest wait for an answer, and what a question may take, ms. */
  readonly timeoutMs: number;
  readonly applicationName: string;
}

/** Where a page ends: the last document's time (epoch seconds) and id. */
export interface ReadingPlace {
  readonly createdAt: string;
  readonly id: string;
}

interface NamedDocument {
  readonly _id: string;
}

interface ReadingDocument extends NamedDocument {
  readonly payload: string;
  readonly correlation_id: string;
  readonly created_at: unknown;
}

/** A document of the readings' collection. */
export interface StoredReading {
  /** `<topic>+<partition>+<offset>` */
  readonly id: string;
  readonly payload: string;
  readonly correlationId: string;
  /** Epoch seconds, exactly as it is stored. */
  readonly createdAt: string;
}

/**
 * Reads what lies in MongoDB, in pages, for whoever shows it. Every call is bounded in time and fails with a GridError `mongodb-unavailable` or
 * `mongodb-refused`.
 */
export class StoredDocuments {
  readonly #client: MongoClient;
  readonly #options: StoredDocumentsOptions;

  /** Connects to nothing yet. */
  constructor(options: StoredDocumentsOptions) {
    this.#options = options;
    this.#client = new MongoClient(options.url, {
      appName: options.applicationName,
      serverSelectionTimeoutMS: options.selectionTimeoutMs,
      connectTimeoutMS: options.timeoutMs,
      socketTimeoutMS: options.timeoutMs,
      waitQueueTimeoutMS: options.timeoutMs,
      maxPoolSize: 8,
    });
  }

  async ping(): Promise<void> {
    await this.#asked('Asking MongoDB whether it is there', (client) => client.db('admin').command({ ping: 1 }));
  }

  /**
   * Documents by id, the highest first if so wished, as plain JSON values.
   *
   * @param after id of the last one of the page before; they are text, or what MongoDB makes itself
   * @param where fields that have just these texts; without an index, documents are looked through until the page is full
   */
  async page(
    database: string,
    collection: string,
    {
      after,
      limit,
      newestFirst,
      where = {},
    }: {
      readonly after: string | undefined;
      readonly limit: number;
      readonly newestFirst: boolean;
      readonly where?: Readonly<Record<string, string | undefined>>;
    },
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const fields = Object.entries(where).filter(([, text]) => text !== undefined);
    const filter: Filter<NamedDocument> = {
      ...(after === undefined ? {} : newestFirst ? { _id: { $lt: after } } : { _id: { $gt: after } }),
      ...Object.fromEntries(fields),
    };
    const documents = await this.#asked(`Reading ${database}.${collection}`, (client) =>
      client
        .db(database)
        .collection<NamedDocument>(collection)
        .find(filter, { sort: { _id: newestFirst ? -1 : 1 }, limit })
        .maxTimeMS(this.#options.timeoutMs)
        .toArray(),
    );
    return documents.map(plain);
  }

  /** Documents by their ids, in no particular order, as plain JSON values. */
  async byIds(
    database: string,
    collection: string,
    ids: readonly string[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    if (ids.length === 0) return [];
    const documents = await this.#asked(`Reading ${database}.${collection}`, (client) =>
      client
        .db(database)
        .collection<NamedDocument>(collection)
        .find({ _id: { $in: [...ids] } })
        .maxTimeMS(this.#options.timeoutMs)
        .toArray(),
    );
    return documents.map(plain);
  }

  /** The document with the highest id of those whose field has a value, as plain JSON values; undefined: there is none. */
  async newestOf(
    database: string,
    collection: string,
    field: string,
    value: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const document = await this.#asked(`Reading ${database}.${collection}`, (client) =>
      client
        .db(database)
        .collection<NamedDocument>(collection)
        .findOne({ [field]: { $eq: value } }, { sort: { _id: -1 }, maxTimeMS: this.#options.timeoutMs }),
    );
    return document === null ? undefined : (JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
  }

  /** How many documents a collection has by its own count, which is cheap; right but after a crash of the server. */
  estimatedCount(database: string, collection: string): Promise<number> {
    return this.#asked(`Counting ${database}.${collection}`, (client) =>
      client.db(database).collection(collection).estimatedDocumentCount(),
    );
  }

  /**
   * Readings of a sensor by event time, then id. It looks through all readings of that time, unless the collection has an index on `created_at`.
   *
   * @param sensor its id, as it may stand in a payload
   */
  async readings(
    database: string,
    collection: string,
    query: {
      readonly sensor: string;
      readonly fromSeconds: number;
      readonly toSeconds: number;
      readonly after: ReadingPlace | undefined;
      readonly limit: number;
    },
  ): Promise<readonly StoredReading[]> {
    const { fromSeconds, toSeconds, after, limit } = query;
    const time = after === undefined ? undefined : exactFraction(after.createdAt);
    const ofSensor: Filter<ReadingDocument> = {
      created_at: { $gte: time ?? fromSeconds, $lt: toSeconds },
      payload: { $regex: sensorPattern(query.sensor) },
    };
    const filter: Filter<ReadingDocument> =
      after === undefined
        ? ofSensor
        : { ...ofSensor, $or: [{ created_at: { $gt: time } }, { created_at: time, _id: { $gt: after.id } }] };
    const documents = await this.#asked(`Reading the readings of a sensor from ${database}.${collection}`, (client) =>
      client
        .db(database)
        .collection<ReadingDocument>(collection)
        .find(filter, { sort: { created_at: 1, _id: 1 }, limit })
        .maxTimeMS(this.#options.timeoutMs)
        .toArray(),
    );
    return documents.map(({ _id, payload, correlation_id, created_at }) => ({
      id: _id,
      payload,
      correlationId: correlation_id,
      createdAt: String(created_at),
    }));
  }

  async insert(database: string, collection: string, document: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#asked(`Writing to ${database}.${collection}`, (client) =>
      client
        .db(database)
        .collection(collection)
        .insertOne({ ...document }),
    );
  }

  /** Lets go of all connections. Never throws. */
  async close(): Promise<void> {
    await this.#client.close().catch(() => undefined);
  }

  async #asked<T>(attempt: string, ask: (client: MongoClient) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#client);
    } catch (error) {
      throw mongodbFailure(error, attempt);
    }
  }
}

/** Through JSON: dates, long numbers and ids become text. */
function plain(document: object): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}

/** The sensor's id as a member of a payload: a number or a text, under either of its names. */
function sensorPattern(sensor: string): string {
  const text = escaped(JSON.stringify(sensor));
  const number = /^-?(?:0|[1-9]\d*)$/.test(sensor) ? `|${escaped(sensor)}` : '';
  return `"(sensor_id|station_id)"\\s*:\\s*(${text}${number})\\s*[,}]`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}
