import { GridError } from '../../grid/errors.ts';

/** Of a path, whatever the cluster's configuration; asked for more, a NameNode answers as if it were down (an IOException without a class). */
const MAX_CHARACTERS = 8_000;
const MAX_LEVELS = 1_000;

/**
 * `path` as it stands in a WebHDFS URL: each segment percent-encoded on its own, so that `%`, spaces, `+`, `#`, `?`, quotes and
 * non-ASCII characters reach HDFS as they are.
 *
 * @throws GridError `hdfs-refused`: not absolute, or a segment that HDFS does not take: empty, `.`, `..`, with `:`, a NUL, or
 * half a surrogate pair; more than 8,000 characters or 1,000 levels.
 */
export function encodeHdfsPath(path: string): string {
  if (path === '/') return '/';
  if (!path.startsWith('/')) throw refused(path, 'it does not begin with /');
  if (path.length > MAX_CHARACTERS) throw refused(path, `it has more than ${MAX_CHARACTERS} characters`);
  const segments = path.slice(1).split('/');
  if (segments.length > MAX_LEVELS) throw refused(path, `it has more than ${MAX_LEVELS} levels`);
  const encoded = segments.map((segment) => {
    if (segment === '') throw refused(path, 'it has an empty segment');
    if (segment === '.' || segment === '..') throw refused(path, `it has the segment ${segment}`);
    if (segment.includes(':')) throw refused(path, 'HDFS allows no colon in a name (Hive writes it as %3A)');
    if (segment.includes('\0')) throw refused(path, 'it has a NUL character');
    try {
      return encodeURIComponent(segment);
    } catch {
      throw refused(path, 'it has half a surrogate pair, which UTF-8 cannot express');
    }
  });
  return `/${encoded.join('/')}`;
}

/** The directory that holds `path`; `/` for `/` and its children. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The last segment of `path`; empty for `/`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `directory` and the name of an entry in it, joined. */
export function childOf(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

function refused(path: string, reason: string): GridError {
  return new GridError(
    'hdfs-refused',
    `Using the HDFS path ${JSON.stringify(path.length > 1_000 ? `${path.slice(0, 1_000)}…` : path)}: ${reason}. Give an absolute path of plain names, like /topics/INGESTION.`,
  );
}
