import type { ImportProgress, ImportSummary } from '../../../../workflows/import/contract.ts';

/**
 * How the import of SQL history stands.
 *
 *     waiting ──► running ──► done
 *        │           ├──────► failed
 *        ├───────────┼──────► interrupted   it was to stop; the workflow stays in Temporal and goes on next time
 *        └──► off    └──────► …
 */
export type ImportState =
  /** What it waits for, for people. */
  | { readonly kind: 'waiting'; readonly waitsFor: string }
  /** There is none this time, and why; an empty reason when nobody wanted one. */
  | { readonly kind: 'off'; readonly reason: string }
  | {
      readonly kind: 'running';
      readonly workflowId: string;
      /** Undefined until the workflow has answered. */
      readonly progress: ImportProgress | undefined;
      readonly rowsPerSecond: number | undefined;
    }
  | { readonly kind: 'done'; readonly workflowId: string; readonly summary: ImportSummary }
  /** `workflowId` is undefined when there was nothing to retry, since it had not begun. */
  | { readonly kind: 'failed'; readonly workflowId: string | undefined; readonly message: string }
  | { readonly kind: 'interrupted'; readonly workflowId: string };
