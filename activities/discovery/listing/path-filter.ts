import picomatch from 'picomatch';
import type { DiscoveryInput } from '../../../workflows/discovery/contract.ts';

/** What a crawl is asked to take and to leave, by paths below the root. */
export class PathFilter {
  readonly #isIncluded: (path: string) => boolean;
  readonly #isExcluded: (path: string) => boolean;

  constructor({ include, exclude }: Pick<DiscoveryInput, 'include' | 'exclude'>) {
    const matcher = (globs: readonly string[]) => picomatch([...globs], { dot: true });
    this.#isIncluded = include.length === 0 ? () => true : matcher(include);
    this.#isExcluded = exclude.length === 0 ? () => false : matcher(exclude);
  }

  takesFile(path: string): boolean {
    return this.#isIncluded(path) && !this.#isExcluded(path);
  }

  /** Whether to look into it. A glob for all below a directory, as `x/**`, leaves the directory out. */
  takesDirectory(path: string): boolean {
    return !this.#isExcluded(path) && !this.#isExcluded(`${path}/`);
  }
}
