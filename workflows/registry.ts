/** Workflows that are started by people and programs, and what each does; `workflows/index.ts` exports these and their parts. */
export const WORKFLOW_TYPES = {
  importSqlHistory: 'import tables of a SQL database into HDFS and Hive',
  retryFailedBackfills: 'try failed and parked runs again',
} as const;
export type WorkflowType = keyof typeof WORKFLOW_TYPES;

export function isWorkflowType(name: string): name is WorkflowType {
  return Object.hasOwn(WORKFLOW_TYPES, name);
}

/** The known type that `name` was most likely meant to be; undefined when none is near. */
export function nearestWorkflowType(name: string): WorkflowType | undefined {
  const wanted = name.toLowerCase();
  const ranked = Object.keys(WORKFLOW_TYPES)
    .filter(isWorkflowType)
    .map((type) => ({ type, distance: editDistance(wanted, type.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(best.type.length / 3))) return best.type;
  return wanted.length < 4 ? undefined : ranked.find(({ type }) => type.toLowerCase().includes(wanted))?.type;
}

/** Levenshtein's: insertions, deletions and substitutions that turn one text into the other. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
