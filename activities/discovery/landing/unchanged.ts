import type { LegacyCatalogue, PathDocument } from '../../../connectors/mongodb/legacy-catalogue.ts';
import { memberRowId } from '../landing-paths.ts';
import type { UnitLedger } from './unit-ledger.ts';

/** Rows that are read and written at once. */
const CHUNK = 500;

/** Rows of files that are as they were: this crawl has found them too, and their contents lie there. */
export class Unchanged {
  readonly #catalogue: LegacyCatalogue;
  readonly #crawl: string;
  readonly #ledger: UnitLedger;
  #rows: PathDocument[] = [];

  constructor(catalogue: LegacyCatalogue, crawl: string, ledger: UnitLedger) {
    this.#catalogue = catalogue;
    this.#crawl = crawl;
    this.#ledger = ledger;
  }

  async add(row: PathDocument): Promise<void> {
    const { _id, members = 0 } = row;
    // The members first: who is cut short in between does them again.
    for (let from = 0; from < members && row.crawl !== this.#crawl; from += CHUNK) {
      await this.#catalogue.putPaths((await this.#members(_id, from, members)).map((member) => this.#seen(member)));
    }
    for (let from = 0; from < members; from += CHUNK) {
      for (const member of await this.#members(_id, from, members)) this.#ledger.count(member);
    }
    const seen = this.#seen(row);
    this.#ledger.count(seen);
    if (row.crawl !== this.#crawl) this.#rows.push(seen);
    if (this.#rows.length >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#catalogue.putPaths(this.#rows.splice(0));
  }

  async #members(outermost: string, from: number, members: number): Promise<readonly PathDocument[]> {
    const ids = Array.from({ length: Math.min(CHUNK, members - from) }, (_, at) => memberRowId(outermost, from + at));
    return [...(await this.#catalogue.findPaths(ids)).values()];
  }

  /** As this crawl has it; what another one has landed is nothing new to it. */
  #seen(row: PathDocument): PathDocument {
    if (row.crawl === this.#crawl) return row;
    const outcome = row.outcome === 'landed' ? 'duplicate' : row.outcome;
    return { ...row, crawl: this.#crawl, seenAt: new Date(), outcome };
  }
}
