import { randomUUID } from 'node:crypto';
import type { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Identity } from './roles.ts';

/** One thing that somebody did, or tried. */
export interface AuditEntry {
  /** `POST /api/jobs` */
  readonly action: string;
  /** What it was done to: a workflow's id, a record's place. Never what was sent. */
  readonly target: string;
  readonly outcome: string;
}

/**
 * Who changed what: a line of the log for each, and a document in MongoDB as long as that is there. The log is what counts: no change waits
 * for MongoDB, and none goes without its line.
 */
export class AuditLog {
  readonly #logger: Logger;
  readonly #documents: Pick<KeptDocuments, 'put'>;
  readonly #underWay = new Set<Promise<void>>();

  constructor(logger: Logger, documents: Pick<KeptDocuments, 'put'>) {
    this.#logger = logger;
    this.#documents = documents;
  }

  write({ name }: Identity, address: string, { action, target, outcome }: AuditEntry): void {
    const entry = { at: new Date().toISOString(), who: name ?? 'nobody', address, action, target, outcome };
    this.#logger.info({ audit: entry }, 'a change was asked for');
    // Ids that rise, so that the newest can be found.
    const kept = this.#documents.put(`${entry.at} ${randomUUID()}`, entry).catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'the audit entry stands in the log alone');
    });
    this.#underWay.add(kept);
    void kept.finally(() => this.#underWay.delete(kept));
  }

  /** When everything written so far is kept, or is known not to be; as long as MongoDB may take to answer. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
