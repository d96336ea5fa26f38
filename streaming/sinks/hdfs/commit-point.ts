/**
 * The named points of the commit protocol, in the order in which a partition passes them. The crash tests kill the
 * process at each.
 */
export const COMMIT_POINTS = [
  'owner-directory-made',
  'owners-fenced',
  'renames-finished',
  'fenced-deleted',
  'file-created',
  'file-flushed',
  'files-closed',
  'directories-made',
  'commit-record-written',
  'commit-record-published',
  'data-file-published',
  'data-files-published',
  'offset-committed',
  'checkpoint-written',
  'checkpoint-published',
  'folded-record-deleted',
] as const;

export type CommitPoint = (typeof COMMIT_POINTS)[number];

/** Told when a point has been passed. */
export type OnCommitPoint = (point: CommitPoint) => void;
