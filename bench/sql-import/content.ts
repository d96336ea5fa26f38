/** What a side has left behind, read row by row. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { TableContent } from './telemetry-table.ts';

const LINE_FEED = 0x0a;
const POINT = 0x2e;
const ZERO = 0x30;
const ID_FIELD = 0;
const VALUE_FIELD = 3;
const VALUE_DIGITS = 4;

/** Adds up lines whose fields are separated by one byte; fields 0 and 3 are plain non-negative decimals. */
class ContentCounter {
  rows = 0;
  idSum = 0;
  valueSum = 0;
  readonly #separator: number;
  #field = 0;
  #id = 0;
  #value = 0;
  /** Of the value; -1 before its point. */
  #decimals = -1;

  constructor(separator: string) {
    this.#separator = separator.charCodeAt(0);
  }

  add(chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte === this.#separator) this.#field++;
      else if (byte === LINE_FEED) this.#endRow();
      else if (this.#field === ID_FIELD) this.#id = this.#id * 10 + byte - ZERO;
      else if (this.#field === VALUE_FIELD) this.#addToValue(byte);
    }
  }

  #addToValue(byte: number): void {
    if (byte !== POINT) this.#value = this.#value * 10 + byte - ZERO;
    if (byte === POINT || this.#decimals >= 0) this.#decimals++;
  }

  #endRow(): void {
    this.rows++;
    this.idSum += this.#id;
    this.valueSum += this.#value * 10 ** (VALUE_DIGITS - Math.max(0, this.#decimals));
    this.#field = 0;
    this.#id = 0;
    this.#value = 0;
    this.#decimals = -1;
  }
}

async function count(counter: ContentCounter, file: Readable, compressed: boolean): Promise<void> {
  const text = compressed ? file.compose<NodeJS.ReadWriteStream>(createGunzip({ chunkSize: 262_144 })) : file;
  for await (const chunk of text) counter.add(chunk as Buffer);
}

/** The data files below a directory; what begins with `_` or `.` is none. */
async function* dataFiles(hdfs: HdfsClient, directory: string): AsyncGenerator<string> {
  for await (const entry of hdfs.list(directory)) {
    if (/^[_.]/.test(entry.name)) continue;
    if (entry.type === 'directory') yield* dataFiles(hdfs, entry.path);
    else yield entry.path;
  }
}

/** All files below a directory in HDFS, gunzipped where their name ends in `.gz`. */
export async function contentOfDirectory(
  hdfs: HdfsClient,
  directory: string,
  separator: string,
): Promise<TableContent> {
  const counter = new ContentCounter(separator);
  for await (const path of dataFiles(hdfs, directory)) {
    await count(counter, await hdfs.read(path), path.endsWith('.gz'));
  }
  return counter;
}

/** A local gzipped file. */
export async function contentOfFile(path: string, separator: string): Promise<TableContent> {
  const counter = new ContentCounter(separator);
  await count(counter, createReadStream(path), true);
  return counter;
}

/** @throws Error when a side has left other rows than the table has */
export function requireSame(side: string, left: TableContent, expected: TableContent): void {
  for (const figure of ['rows', 'idSum', 'valueSum'] as const) {
    if (left[figure] !== expected[figure]) {
      throw new Error(`${side} left ${figure} ${left[figure]} instead of ${expected[figure]}`);
    }
  }
}
