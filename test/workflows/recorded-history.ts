import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { WorkflowExecutionInfo } from '@temporalio/client';
import proto from '@temporalio/proto';
import { z } from 'zod';
import type { TemporalClient } from '../../connectors/temporal/client.ts';

type History = proto.temporal.api.history.v1.IHistory;
const { History } = proto.temporal.api.history.v1;

/**
 * A run's history; in `histories/` as lines of JSON: its workflow id, then each event as plain object, with bytes in base64
 * and enumerations by name.
 */
export interface RecordedHistory {
  readonly workflowId: string;
  readonly history: History;
}

const historySchema = z.object({ events: z.array(z.record(z.string(), z.unknown())) });
const headSchema = z.object({ workflowId: z.string() });
const DIRECTORY = new URL('histories/', import.meta.url);
const EXTENSION = '.history';

/** What tells of the machine on which it was recorded, and is not needed to replay it. */
const LEFT_OUT = new Set([
  'stackTrace',
  'identity',
  'requestId',
  'workerVersion',
  'binaryChecksum',
  'deploymentOptions',
]);

/** Keeps the history of a run under a name. */
export async function record(
  name: string,
  client: TemporalClient,
  run: Pick<WorkflowExecutionInfo, 'workflowId' | 'runId'>,
): Promise<void> {
  const { workflowId, runId } = run;
  const history = await client.sdk.workflow.getHandle(workflowId, runId).fetchHistory();
  const plain = History.toObject(History.create(history), { bytes: String, longs: String, enums: String });
  const { events } = historySchema.parse(withoutMachine(plain));
  const lines = [{ workflowId }, ...events].map((line) => `${JSON.stringify(line)}\n`);
  await writeFile(new URL(`${name}${EXTENSION}`, DIRECTORY), lines.join(''));
}

function withoutMachine(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !LEFT_OUT.has(name));
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutMachine(field)]));
}

/** Forgets those of some scenarios: they are named `<scenario>-<workflow type>-<count>`. */
export async function forgetHistories(scenarios: readonly string[]): Promise<void> {
  for (const file of await files()) {
    if (scenarios.some((scenario) => new RegExp(`^${scenario}-[A-Za-z]+-\\d+\\.`).test(file)))
      await rm(new URL(file, DIRECTORY));
  }
}

/** All that are kept, by name. */
export async function recordedHistories(): Promise<ReadonlyMap<string, RecordedHistory>> {
  const histories = new Map<string, RecordedHistory>();
  for (const file of await files()) {
    const text = await readFile(new URL(file, DIRECTORY), 'utf8');
    const [head, ...events] = text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const { workflowId } = headSchema.parse(head);
    histories.set(file.slice(0, -EXTENSION.length), { workflowId, history: History.fromObject({ events }) });
  }
  return histories;
}

async function files(): Promise<readonly string[]> {
  return (await readdir(DIRECTORY)).filter((name) => name.endsWith(EXTENSION)).sort();
}
