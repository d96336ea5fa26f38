import { inspect } from 'node:util';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../runtime/config.ts';
import { createLogger } from '../runtime/logger.ts';
import { recordedHistories, type RecordedHistory } from '../test/workflows/recorded-history.ts';
import { projectWorkflowBundle } from '../workers/batch/workflow-bundle.ts';
import * as workflows from './index.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const histories = await recordedHistories();
const outcomes = new Map<string, string>();

/**
 * Runs that were begun with an earlier version of the workflows must go on with this one. When one of these fails, either keep the old
 * way for old runs (`patched`), or, where no installation has such runs, record anew: test/workflows/record-histories.ts.
 */
describe('recorded runs of the workflows', () => {
  beforeAll(async () => {
    const codePath = await projectWorkflowBundle(
      loadConfig(),
      createLogger({ name: 'test', level: 'silent', format: 'json' }),
    );
    const options = { workflowBundle: { codePath } };
    const names = [...histories.keys()];
    // One worker replays them one after the other, in order.
    for await (const { error } of Worker.runReplayHistories(options, histories.values())) {
      const name = names.shift();
      if (name !== undefined) outcomes.set(name, error?.message ?? 'replayed');
    }
  }, 120_000);

  it.each([...histories.keys()])('%s is replayed as it was', (name) => {
    expect(outcomes.get(name)).toBe('replayed');
  });

  it('are there for every workflow type', () => {
    const recorded = new Set([...histories.values()].map(typeOf));
    expect([...recorded].sort()).toEqual(Object.keys(workflows).sort());
  });

  it('tell nothing of the machine on which they were recorded', () => {
    for (const [name, { history }] of histories) {
      const text = inspect(history, { depth: null, maxStringLength: null, maxArrayLength: 0 });
      expect(text + payloadsIn(history), name).not.toMatch(
        /\/(home|root|tmp|work|Users)\/|node_modules|file:\/\/|\.ts:\d+/,
      );
    }
  });
});

function typeOf({ history }: RecordedHistory): string | undefined {
  return history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? undefined;
}

/** The texts of all payloads. */
function payloadsIn(value: unknown): string {
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString()}\n`;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(payloadsIn).join('');
}
