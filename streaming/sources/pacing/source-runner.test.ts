import { pino } from 'pino';
import { expect, test } from 'vitest';
import { GridError, type ErrorCode } from '../../../grid/errors.ts';
import type { ProducedRecord, RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import { PacedClock } from './paced-clock.ts';
import type { PacedSource, Taken } from './paced-source.ts';
import { SourceRunner } from './source-runner.ts';

/** A producer that keeps what it is given and fails when told to. */
class RecordKeeper implements RecordProducer {
  readonly kept: string[] = [];
  /** Errors for the next sends, one each; undefined is success. */
  readonly failures: (ErrorCode | undefined)[] = [];
  /** Sends are held until this resolves. */
  gate: Promise<void> = Promise.resolve();
  queuedBytes = 0;

  async send(_topic: string, records: readonly ProducedRecord[]): Promise<void> {
    const failure = this.failures.shift();
    await this.gate;
    if (failure !== undefined) throw new GridError(failure, `told to fail with ${failure}`);
    this.kept.push(...records.map(({ value }) => value?.toString() ?? ''));
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Gives `0`, `1`, … up to `count`, in batches of two, and notes what was acknowledged. */
class Counting implements PacedSource {
  readonly name = 'counting';
  readonly acknowledged: number[] = [];
  closed = 0;
  #next = 0;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  take(): Promise<Taken> {
    if (this.#next >= this.#count) return Promise.resolve({ kind: 'finished' });
    const first = this.#next;
    this.#next = Math.min(first + 2, this.#count);
    const values = Array.from({ length: this.#next - first }, (_value, index) => first + index);
    return Promise.resolve({
      kind: 'batch',
      batch: {
        sends: [{ topic: 'numbers', records: values.map((value) => ({ key: null, value: String(value) })) }],
        bytes: 10,
        counts: { total: values.length, even: 1 },
        onAcknowledged: () => this.acknowledged.push(first),
      },
    });
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

function runnerOf(source: PacedSource, producer: RecordProducer): SourceRunner {
  const clock = new PacedClock({ startMs: 0, speed: 0 });
  return new SourceRunner({ source, producer, clock, logger: pino({ level: 'silent' }) });
}

const numbers = (count: number) => Array.from({ length: count }, (_value, index) => String(index));

test('everything is sent, counted and acknowledged in order, and the source is closed', async () => {
  const [source, producer] = [new Counting(101), new RecordKeeper()];
  const { report, failure } = await runnerOf(source, producer).run();
  expect(producer.kept).toEqual(numbers(101));
  expect(source.acknowledged).toEqual([...source.acknowledged].sort((a, b) => a - b));
  expect(source.acknowledged).toHaveLength(51);
  expect(source.closed).toBe(1);
  expect(failure).toBeUndefined();
  expect(report).toMatchObject({
    outcome: 'finished',
    acknowledged: { total: 101, even: 51 },
    unacknowledged: 0,
    resentBatches: 0,
  });
});

test('a batch that was not acknowledged is sent again, and the source hears of nothing behind it before that', async () => {
  const [source, producer] = [new Counting(10), new RecordKeeper()];
  producer.failures.push('not-acknowledged', undefined, undefined, 'kafka-unavailable');
  const { report } = await runnerOf(source, producer).run();
  expect([...producer.kept].sort()).toEqual(numbers(10).sort());
  expect(source.acknowledged).toEqual([0, 2, 4, 6, 8]);
  expect(report).toMatchObject({ outcome: 'finished', acknowledged: { total: 10 }, resentBatches: 2 });
});

test('a full queue is waited for and is no repetition', async () => {
  const [source, producer] = [new Counting(4), new RecordKeeper()];
  producer.failures.push('producer-queue-full');
  const { report } = await runnerOf(source, producer).run();
  expect(report).toMatchObject({ acknowledged: { total: 4 }, resentBatches: 0 });
});

test('an error that no repetition mends ends the run, with what is not acknowledged counted as such', async () => {
  const [source, producer] = [new Counting(1_000), new RecordKeeper()];
  producer.failures.push(undefined, 'kafka-refused');
  const { report, failure } = await runnerOf(source, producer).run();
  expect(failure).toMatchObject({ code: 'kafka-refused' });
  expect(report.outcome).toBe('failed');
  expect(source.acknowledged).toEqual([0]);
  expect(report.unacknowledged).toBeGreaterThan(0);
  expect(source.closed).toBe(1);
});

test('when stopped it takes nothing more, waits for what is under way and says what stayed open', async () => {
  const [source, producer] = [new Counting(1_000_000), new RecordKeeper()];
  producer.gate = new Promise(() => undefined);
  const runner = runnerOf(source, producer);
  const running = runner.run();
  await new Promise((resolve) => setTimeout(resolve, 20));
  runner.stop(50);
  const { report, failure } = await running;
  expect(failure).toBeUndefined();
  expect(report).toMatchObject({ outcome: 'stopped', acknowledged: { total: 0 } });
  // Batches under way are bounded: the source was not emptied into memory.
  expect(report.unacknowledged).toBeGreaterThan(0);
  expect(report.unacknowledged).toBeLessThanOrEqual(20);
  expect(source.closed).toBe(1);
});
