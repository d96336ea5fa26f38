import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { copyIn } from '../../connectors/postgres/serving/copy-in.ts';
import type { ServingDatabase, ServingTransaction } from '../../connectors/postgres/serving/serving-database.ts';
import { GridError } from '../../grid/errors.ts';
import type { Boundary, ChangedWindow, PublishRequest, ViewsResult } from '../../workflows/views/contract.ts';
import { viewsContract } from '../../workflows/views/contract.ts';
import { BuildDirectory, type BuildTry, type Plan } from './build-directory.ts';
import { dayText, EventDays } from '../readings/days.ts';
import type { ViewsDependencies } from './dependencies.ts';
import {
  changeExamples,
  changeFigures,
  changesStatement,
  combineStatements,
  createRelations,
  dropRelations,
  freshTable,
  partsTarget,
  swapStatements,
  type BuildRelations,
} from './publish-statements.ts';
import { addUpStatement, readStatement } from './statements.ts';

const MOST_EXAMPLES = 20;
const MOST_STRETCHES = 50;
/** Any number; it names the lock that builds that publish at once compete for. */
const PUBLISH_LOCK = 7_260_415;

/**
 * Swaps the windows that Hive has added up into the batch view, together with the boundary, in one transaction. Who tries it again after it was
 * done gets what was done.
 *
 * @throws GridError `views-overtaken`: another build has been published since the plan was made, or the windows sink has got beyond a
 * boundary that is not the end of a segment
 */
export async function publishViews(
  deps: ViewsDependencies,
  request: PublishRequest,
  signal: AbortSignal,
): Promise<ViewsResult> {
  const { hdfs, serving, analysisDirectory } = deps;
  const { run } = request;
  const published = await publishedBefore(serving, run.runId);
  if (published !== undefined) return published;
  const directory = new BuildDirectory(hdfs, analysisDirectory, run.buildId);
  const plan = await directory.of('plan', request.plan).readPlan();
  const sql = await sqlOf(deps, request, plan, signal);
  if (plan.isUpToDate) return resultOf(request, plan, sql, NOTHING);
  const build: BuildRelations = { schema: serving.schema, buildId: run.buildId };
  await serving.inTransaction('Bringing windows to the serving database', async (transaction) => {
    await transaction.query(dropRelations(build));
    for (const statement of createRelations(build)) await transaction.query(statement);
    if (plan.files > 0) {
      const windows = directory.of('windows', request.windows);
      await copyIn(transaction, partsTarget(build), windowsText(hdfs, windows), signal);
    }
    for (const statement of combineStatements(build)) await transaction.query(statement);
  });
  signal.throwIfAborted();
  return serving.inTransaction('Publishing batch views', async (transaction) => {
    await transaction.query('SELECT pg_advisory_xact_lock($1)', [PUBLISH_LOCK]);
    await refuseOtherBuilds(transaction, serving.schema, plan);
    await takeOverFromSpeed(transaction, serving.schema, plan.boundary);
    return swap(transaction, { build, request, plan, sql });
  });
}

async function publishedBefore(serving: ServingDatabase, runId: string): Promise<ViewsResult | undefined> {
  const [row] = await serving.query<{ summary: unknown }>(
    `SELECT summary FROM ${serving.schema}.batch_build WHERE run_id = $1`,
    [runId],
  );
  return row === undefined ? undefined : viewsContract.result.parse(row.summary);
}

async function* windowsText(hdfs: HdfsClient, directory: BuildTry): AsyncGenerator<Buffer, void, undefined> {
  for await (const { path, type, lengthBytes } of entriesIfThere(hdfs.list(directory.windowsDirectory))) {
    if (type !== 'file' || lengthBytes === 0) continue;
    for await (const chunk of await hdfs.read(path)) yield chunk as Buffer;
  }
}

async function refuseOtherBuilds(transaction: ServingTransaction, schema: string, { basedOn }: Plan): Promise<void> {
  const [newest] = await transaction.query<{ id: string | null }>(`SELECT max(id) AS id FROM ${schema}.batch_build`);
  if ((newest?.id ?? null) !== basedOn) {
    throw overtaken(`build ${newest?.id ?? ''} was published meanwhile`);
  }
}

/** From here on the windows sink goes on behind the boundary. Its rows below count no more, since their segments begin below. */
async function takeOverFromSpeed(
  transaction: ServingTransaction,
  schema: string,
  boundary: readonly Boundary[],
): Promise<void> {
  const moved = boundary
    .filter(({ lastOffset, previousOffset }) => lastOffset !== previousOffset)
    .sort((a, b) => a.partition - b.partition);
  for (const { topic, partition, lastOffset } of moved) {
    const [position] = await transaction.query<{ next_offset: string }>(
      `SELECT next_offset FROM ${schema}.speed_position WHERE topic = $1 AND partition = $2 FOR UPDATE`,
      [topic, partition],
    );
    if (position === undefined) continue;
    if (Number(position.next_offset) <= lastOffset + 1) {
      await transaction.query(
        `UPDATE ${schema}.speed_position SET next_offset = $3, segment_first_offset = $3, updated_at = now()
         WHERE topic = $1 AND partition = $2`,
        [topic, partition, lastOffset + 1],
      );
      continue;
    }
    const segments = await transaction.query(
      `SELECT FROM ${schema}.speed_segment WHERE topic = $1 AND partition = $2 AND last_offset = $3`,
      [topic, partition, lastOffset],
    );
    if (segments.length === 0) {
      throw overtaken(
        `the windows of ${topic}+${partition} have got from offset ${lastOffset} to ${position.next_offset}`,
      );
    }
  }
}

function overtaken(what: string): GridError {
  return new GridError('views-overtaken', `Publishing batch views: ${what}. They are planned again.`);
}

interface Outcome {
  readonly buildId?: number;
  readonly windows: ViewsResult['windows'];
  readonly counted: number;
  readonly inexact: number;
  readonly mended: number;
  readonly examples: readonly ChangedWindow[];
}

const NOTHING: Outcome = {
  windows: { computed: 0, new: 0, changed: 0, gone: 0 },
  counted: 0,
  inexact: 0,
  mended: 0,
  examples: [],
};

async function swap(
  transaction: ServingTransaction,
  {
    build,
    request,
    plan,
    sql,
  }: {
    readonly build: BuildRelations;
    readonly request: PublishRequest;
    readonly plan: Plan;
    readonly sql: readonly string[];
  },
): Promise<ViewsResult> {
  const { schema } = build;
  await transaction.query(changesStatement(build, plan));
  const [figures] = await transaction.query<Record<'new' | 'changed' | 'gone' | 'mended', string>>(
    changeFigures(plan.touched),
  );
  // Every reading is in one window of each resolution.
  const [totals] = await transaction.query<{ computed: string; counted: string; inexact: string }>(
    `SELECT count(*) AS computed, coalesce(sum(reading_count) FILTER (WHERE resolution = $1), 0) AS counted,
     coalesce(sum(inexact_count) FILTER (WHERE resolution = $1), 0) AS inexact FROM ${freshTable(build)}`,
    [plan.resolutions[0]],
  );
  const examples = await transaction.query<ExampleRow>(changeExamples(MOST_EXAMPLES));
  const changedWindows = Number(figures?.new) + Number(figures?.changed) + Number(figures?.gone);
  const [inserted] = await transaction.query<{ id: string }>(
    `INSERT INTO ${schema}.batch_build (run_id, boundary, is_rebuild, reading_count, changed_windows)
     VALUES ($1, $2, $3, $4, $5) RETURNING id`,
    [
      request.run.runId,
      JSON.stringify(plan.boundary),
      request.run.input.rebuild,
      Number(totals?.counted),
      changedWindows,
    ],
  );
  const id = inserted?.id ?? '';
  for (const { text, hasId } of swapStatements(build)) await transaction.query(text, hasId ? [id] : []);
  for (const { topic, partition, lastOffset } of plan.boundary) {
    await transaction.query(
      `INSERT INTO ${schema}.batch_boundary (topic, partition, last_offset, build_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT (topic, partition) DO UPDATE SET last_offset = excluded.last_offset, build_id = excluded.build_id`,
      [topic, partition, lastOffset, id],
    );
  }
  const result = resultOf(request, plan, sql, {
    buildId: Number(id),
    windows: {
      computed: Number(totals?.computed),
      new: Number(figures?.new),
      changed: Number(figures?.changed),
      gone: Number(figures?.gone),
    },
    counted: Number(totals?.counted),
    inexact: Number(totals?.inexact),
    mended: Number(figures?.mended),
    examples: examples.map(exampleOf),
  });
  await transaction.query(`UPDATE ${schema}.batch_build SET summary = $2 WHERE id = $1`, [id, JSON.stringify(result)]);
  return result;
}

interface ExampleRow {
  readonly sensor_id: string;
  readonly aspect: string;
  readonly unit: string;
  readonly resolution: ChangedWindow['resolution'];
  readonly window_start_ms: string;
  readonly change: ChangedWindow['change'];
  readonly count_before: string | null;
  readonly sum_before: string | null;
  readonly count_after: string | null;
  readonly sum_after: string | null;
}

function exampleOf(row: ExampleRow): ChangedWindow {
  const figures = (count: string | null, sum: string | null) =>
    count === null ? undefined : { count: Number(count), sum: sum ?? '' };
  const before = figures(row.count_before, row.sum_before);
  const after = figures(row.count_after, row.sum_after);
  return {
    sensorId: row.sensor_id,
    aspect: row.aspect,
    unit: row.unit,
    resolution: row.resolution,
    windowStart: new Date(Number(row.window_start_ms)).toISOString(),
    change: row.change,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

/** What was run in Hive. */
async function sqlOf(
  { hive, database }: ViewsDependencies,
  { run: { buildId }, read, windows = '' }: PublishRequest,
  { files, days, resolutions }: Plan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (files === 0) return [];
  const from = { database, buildId, tryName: read.read ?? '' };
  const tables = { database, buildId, tryName: windows };
  const hasOthers = read.otherForms > read.unreadable;
  return [
    readStatement(from, await hive.dialect({ signal })),
    addUpStatement(tables, from, { days, resolutions, hasOthers }),
  ];
}

function resultOf(
  { run, read, startedMs }: PublishRequest,
  plan: Plan,
  sql: readonly string[],
  { buildId, windows, counted, inexact, mended, examples }: Outcome,
): ViewsResult {
  const { files, bytes, readings, days, boundary, isUpToDate, areAllInDays } = plan;
  return {
    outcome: isUpToDate ? 'up-to-date' : 'published',
    ...(buildId === undefined ? {} : { buildId }),
    boundary,
    rebuild: run.input.rebuild,
    ...(EventDays.of(days).isAll
      ? {}
      : {
          days: days.slice(0, MOST_STRETCHES).map(([first, last]) => ({ first: dayText(first), last: dayText(last) })),
        }),
    files,
    bytes,
    readings,
    ...read,
    counted,
    ...(areAllInDays ? { duplicates: readings - read.unreadable - counted } : {}),
    inexact,
    windows,
    mended,
    examples: [...examples],
    sql: [...sql],
    durationMs: Math.max(0, Date.now() - startedMs),
  };
}
