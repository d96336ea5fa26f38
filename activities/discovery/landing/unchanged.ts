import type { ContentDocument, LegacyCatalogue, PathDocument } from '../../../connectors/mongodb/legacy-catalogue.ts';
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
    if (row.crawl === this.#crawl) this.#ledger.count(row);
    else this.#rows.push(this.#seen(row));
    if (this.#rows.length >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#rows.splice(0);
    // Who found a content while another one landed it could not say what it is.
    const unsaid = rows.flatMap((row) => (isUnsaid(row) ? [row.content ?? ''] : []));
    const contents = await this.#catalogue.findContents(unsaid);
    const said = rows.map((row) => (isUnsaid(row) ? withContent(row, contents.get(row.content ?? '')) : row));
    await this.#catalogue.putPaths(said);
    for (const row of said) this.#ledger.count(row);
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

function isUnsaid({ class: kind, reason, outcome }: PathDocument): boolean {
  return outcome === 'duplicate' && kind === undefined && reason === undefined;
}

function withContent(row: PathDocument, content: ContentDocument | undefined): PathDocument {
  if (content === undefined) return row;
  const { status, verdict, quarantine } = content;
  return {
    ...row,
    ...(status === 'quarantined' || status === 'encrypted' ? { outcome: status } : {}),
    ...(verdict === undefined ? {} : { class: verdict.class, format: verdict.format }),
    ...quarantine,
  };
}
