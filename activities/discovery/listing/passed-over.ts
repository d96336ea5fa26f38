import type { LegacyCatalogue, PathDocument } from '../../../connectors/mongodb/legacy-catalogue.ts';
import type { Crawl } from '../../../workflows/discovery/contract.ts';
import { fullPath, rowId } from '../landing-paths.ts';

const MOST_HELD = 500;

/** Outcome of what is no file: links, devices, directories that cannot be read. */
export const PASSED_OVER = 'passed-over';

/** What a listing comes upon that is no file; each gets its row. A dry run only counts it. */
export class PassedOver {
  readonly #catalogue: LegacyCatalogue;
  readonly #crawl: Crawl;
  #rows: PathDocument[] = [];
  #count = 0;

  constructor(catalogue: LegacyCatalogue, crawl: Crawl) {
    this.#catalogue = catalogue;
    this.#crawl = crawl;
  }

  get count(): number {
    return this.#count;
  }

  async add(path: string, reason: string, detail?: string): Promise<void> {
    this.#count++;
    if (this.#crawl.input.dryRun) return;
    const { crawlId, root } = this.#crawl;
    const full = fullPath(root, path);
    const now = new Date();
    this.#rows.push({
      _id: rowId(full),
      path: full,
      crawl: crawlId,
      seenAt: now,
      firstSeenAt: now,
      outcome: PASSED_OVER,
      reason,
      ...(detail === undefined ? {} : { detail }),
      size: 0,
    });
    if (this.#rows.length >= MOST_HELD) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#catalogue.putPaths(this.#rows.splice(0));
  }
}
