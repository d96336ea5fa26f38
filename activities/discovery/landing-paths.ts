import { createHash } from 'node:crypto';
import { nameBytes } from '../../grid/legacy/path-text.ts';

/** Rows of telemetry, which Hive reads. */
const ROWS = 'telemetry-rows';

/** Where discovery keeps what in HDFS, below one directory. */
export class LandingPaths {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Directories that are written to by many; those of classes come with their first file. */
  get folders(): readonly string[] {
    return ['packs', 'text', ROWS, 'reports'].map((name) => `${this.directory}/${name}`);
  }

  /** What one crawl works with; it goes when the crawl ends. */
  crawl(crawlId: string): string {
    return `${this.directory}/.crawls/${crawlId}`;
  }

  /** A content that lies by itself. @param folder its class, or `quarantined` */
  file(folder: string, sha256: string, extension: string): string {
    return `${this.directory}/${folder}/${sha256}.${extension}`;
  }

  /** Small contents of one unit of work, in a tar file: the first, the second … that it needed. */
  pack(unitName: string, number: number): string {
    return `${this.directory}/packs/${unitName}-${padded(number)}.tar`;
  }

  /** Their text, and that of large ones. */
  text(unitName: string, number: number): string {
    return `${this.directory}/text/${unitName}-${padded(number)}.tsv`;
  }

  /** Rows of telemetry, apart from the files of that class. */
  telemetry(unitName: string, number: number): string {
    return `${this.directory}/${ROWS}/${unitName}-${padded(number)}.tsv`;
  }

  report(crawlId: string, extension: 'json' | 'html'): string {
    return `${this.directory}/reports/${crawlId}.${extension}`;
  }

  fetched(sha256: string, extension: string): string {
    return `${this.directory}/fetched/${sha256}.${extension}`;
  }
}

/** Numbers in names, so that names sort as numbers do. */
export function padded(number: number): string {
  return String(number).padStart(6, '0');
}

/** Full path of something below the root of a share. */
export function fullPath(root: string, path: string): string {
  if (path === '') return root;
  return `${root.endsWith('/') ? root : `${root}/`}${path}`;
}

/** Names the row of a path: of its very bytes, so that no rule of writing names changes it. */
export function rowId(path: string): string {
  return createHash('sha256').update(nameBytes(path)).digest('hex');
}

export function memberRowId(outermost: string, number: number): string {
  return `${outermost}+${number}`;
}

/** End of a name, when it is one that tells something and fits into a path: else `bin`. */
export function extensionOf(name: string): string {
  return /\.([A-Za-z0-9]{1,16})$/.exec(name)?.[1]?.toLowerCase() ?? 'bin';
}
