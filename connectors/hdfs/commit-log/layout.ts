/**
 * Where a topic's data, commit log and temporaries lie in HDFS. The only place that knows these paths:
 *
 *     /topics/<topic>/<partition path>/<topic>+<kafka partition>+<first offset>+<last offset>.<extension>   data
 *     /topics/<topic>/_commits/<kafka partition>/<first offset, 20 digits>.json                            commit records
 *     /topics/<topic>/_commits/<kafka partition>/<first offset, 20 digits>.checkpoint.json                 folded records
 *     /topics/.tmp/<topic>/<kafka partition>/<owner>/                                                       temporaries
 *     /topics/.tmp/<topic>/<kafka partition>/fenced-<owner>/                                                … of an earlier owner
 *     /topics/.set-aside/<topic>/<kafka partition>/<first offset, 20 digits>/                               what cannot be published
 */

const OFFSET_DIGITS = 20;
const FENCED_PREFIX = 'fenced-';
const CHECKPOINT_SUFFIX = '.checkpoint.json';
const COMMIT_SUFFIX = '.json';

/** Paths of one topic partition. */
export class PartitionLayout {
  readonly #topicsDirectory: string;
  readonly #topic: string;
  readonly #partition: number;

  constructor(topicsDirectory: string, topic: string, partition: number) {
    this.#topicsDirectory = topicsDirectory;
    this.#topic = topic;
    this.#partition = partition;
  }

  get commitsDirectory(): string {
    return `${this.#topicsDirectory}/${this.#topic}/_commits/${this.#partition}`;
  }

  get temporaryRoot(): string {
    return `${this.#topicsDirectory}/.tmp/${this.#topic}/${this.#partition}`;
  }

  get setAsideRoot(): string {
    return `${this.#topicsDirectory}/.set-aside/${this.#topic}/${this.#partition}`;
  }

  /** Files of the range that begins at `firstOffset`. */
  setAsideDirectory(firstOffset: number): string {
    return `${this.setAsideRoot}/${paddedOffset(firstOffset)}`;
  }

  setAsideFile(firstOffset: number, temporaryPath: string): string {
    return `${this.setAsideDirectory(firstOffset)}${temporaryPath.slice(temporaryPath.lastIndexOf('/'))}`;
  }

  dataDirectory(partitionPath: string): string {
    return `${this.#topicsDirectory}/${this.#topic}/${partitionPath}`;
  }

  dataFile(partitionPath: string, firstOffset: number, lastOffset: number, extension: string): string {
    const name = `${this.#topic}+${this.#partition}+${firstOffset}+${lastOffset}.${extension}`;
    return `${this.dataDirectory(partitionPath)}/${name}`;
  }

  commitRecord(firstOffset: number): string {
    return `${this.commitsDirectory}/${paddedOffset(firstOffset)}${COMMIT_SUFFIX}`;
  }

  checkpoint(firstOffset: number): string {
    return `${this.commitsDirectory}/${paddedOffset(firstOffset)}${CHECKPOINT_SUFFIX}`;
  }

  ownerDirectory(owner: string): string {
    return `${this.temporaryRoot}/${owner}`;
  }

  fencedDirectory(owner: string): string {
    return `${this.temporaryRoot}/${FENCED_PREFIX}${owner}`;
  }

  /** Where a temporary lies after its owner was fenced. */
  fencedTemporary(temporaryPath: string): string {
    const segments = temporaryPath.split('/');
    const name = segments.pop() ?? '';
    const owner = segments.pop() ?? '';
    return `${this.fencedDirectory(owner)}/${name}`;
  }
}

export function isFencedName(name: string): boolean {
  return name.startsWith(FENCED_PREFIX);
}

/** What an entry of a commits directory is. */
export type CommitLogEntry =
  | { readonly kind: 'commit'; readonly firstOffset: number; readonly name: string }
  | { readonly kind: 'checkpoint'; readonly firstOffset: number; readonly name: string };

/** Reads an entry's name; undefined for names that are not the log's. */
export function commitLogEntry(name: string): CommitLogEntry | undefined {
  const match = /^(\d{20})(\.checkpoint)?\.json$/.exec(name);
  if (match === null) return undefined;
  return { kind: match[2] === undefined ? 'commit' : 'checkpoint', firstOffset: Number(match[1]), name };
}

function paddedOffset(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, '0');
}
