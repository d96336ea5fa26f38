import type { AlarmReason, Raised, Transition } from '../../../grid/alarms/alarm-state.ts';
import type { AlarmKind, SeriesName, Severity } from '../../../grid/alarms/rule.ts';
import { GridError } from '../../../grid/errors.ts';
import type { TemporalAspect } from '../../../grid/reading.ts';
import { alarmStatements, type AlarmEventRow, type AlarmStatements } from './alarm-statements.ts';
import type { ServingDatabase, ServingTransaction } from './serving-database.ts';

/** A partition of Kafka. */
export interface AlarmPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where the alarms of a partition stand. */
export interface AlarmPosition {
  /** What readings before it did to alarms is in the tables. */
  readonly nextOffset: number;
  /** What readings before it told of series is in the tables; not behind `nextOffset`. */
  readonly stateOffset: number;
  readonly changeNumber: number;
}

/** An alarm that is raised, acknowledged or not. */
export interface OpenAlarm extends Raised {
  /** Empty until the raising is written. */
  id: string;
}

/** An open alarm as it stands in the table. */
export interface StoredAlarm extends OpenAlarm, SeriesName {
  readonly sinceMs: number;
  readonly raisedMs: number;
  readonly value: string;
  readonly offset: number;
}

/** A transition that is to be written. */
export interface AlarmWrite {
  readonly series: SeriesName;
  readonly alarm: OpenAlarm;
  readonly transition: Transition;
  /** When Kafka got the reading that decided; of silence the moment at which it was seen. */
  readonly appendedMs: number;
}

/** What is known of a series, as it is kept. */
export interface SavedSeries extends SeriesName {
  readonly facts: string;
  /** When a rule calls it stale, if nothing newer comes. */
  readonly quietMs: number | undefined;
}

export type OutboxTarget = 'topic' | 'webhook';
const PENDING = { topic: 'topic_pending', webhook: 'webhook_pending' } as const;
/** What is shown of a value. */
const MOST_VALUE_CHARACTERS = 128;

interface NameRow {
  readonly sensor_id: string;
  readonly aspect: TemporalAspect;
  readonly unit: string;
}
interface RaisedRow extends NameRow {
  readonly id: string;
  readonly rule_id: string;
  readonly kind: AlarmKind;
  readonly severity: Severity;
  readonly limit_text: string;
  readonly since_ms: number;
  readonly raised_ms: number;
  readonly raised_value: string;
  readonly raised_offset: number;
}

/** The alarms of one partition, and what is known of its series, which move together with its position: whoever has another idea of that changes nothing. */
export class AlarmStore {
  readonly #database: ServingDatabase;
  readonly #statements: AlarmStatements;
  readonly #hasWebhook: boolean;

  /** @param hasWebhook whether changes are to be delivered to one */
  constructor(database: ServingDatabase, hasWebhook: boolean) {
    this.#database = database;
    this.#statements = alarmStatements(database.schema);
    this.#hasWebhook = hasWebhook;
  }

  /** @throws GridError `serving-database-unavailable`, `serving-database-refused`, as all others do */
  async open({ topic, partition }: AlarmPartition): Promise<AlarmPosition> {
    await this.#database.query(this.#statements.makePosition, [topic, partition]);
    const [row] = await this.#database.query<{ next_offset: number; state_offset: number; change_number: number }>(
      this.#statements.position,
      [topic, partition],
    );
    if (row === undefined) throw new GridError('defect', `There is no position of alarms of ${topic}/${partition}.`);
    return { nextOffset: row.next_offset, stateOffset: row.state_offset, changeNumber: row.change_number };
  }

  /** What is kept of some series: facts by name, and open alarms. */
  async series(
    { topic, partition }: AlarmPartition,
    names: readonly SeriesName[],
  ): Promise<{
    readonly facts: readonly (SeriesName & { readonly facts: string })[];
    readonly open: readonly StoredAlarm[];
  }> {
    const parameters = [topic, partition, ...namesOf(names)];
    const [facts, open] = await Promise.all([
      this.#database.query<NameRow & { facts: string }>(this.#statements.facts, parameters),
      this.#database.query<RaisedRow>(this.#statements.openOf, parameters),
    ]);
    return { facts: facts.map((row) => ({ ...nameOf(row), facts: row.facts })), open: open.map(storedOf) };
  }

  /** Open alarms by id, behind one. */
  async openAlarms(
    { topic, partition }: AlarmPartition,
    behind: string,
    most: number,
  ): Promise<readonly StoredAlarm[]> {
    const rows = await this.#database.query<RaisedRow>(this.#statements.openAlarms, [topic, partition, behind, most]);
    return rows.map(storedOf);
  }

  /** Series that were to be called stale by then. */
  async quiet({ topic, partition }: AlarmPartition, nowMs: number, most: number): Promise<readonly SeriesName[]> {
    const rows = await this.#database.query<NameRow>(this.#statements.quiet, [topic, partition, nowMs, most]);
    return rows.map(nameOf);
  }

  /**
   * Writes what became of alarms and what is known of series, and moves the position, in one transaction. Alarms that are raised get their ids.
   *
   * @throws GridError `fenced` when the position is not `before`: another worker has moved it
   */
  write(
    partition: AlarmPartition,
    before: AlarmPosition,
    after: Omit<AlarmPosition, 'changeNumber'>,
    writes: readonly AlarmWrite[],
    saved: readonly SavedSeries[],
  ): Promise<AlarmPosition> {
    const of = [partition.topic, partition.partition];
    return this.#database.inTransaction(
      `Writing alarms of ${partition.topic}/${partition.partition}`,
      async (transaction) => {
        const moved = await transaction.query(this.#statements.move, [
          ...[...of, before.nextOffset, before.changeNumber],
          ...[after.nextOffset, after.stateOffset],
        ]);
        if (moved.length === 0) {
          throw new GridError(
            'fenced',
            `Moving the alarms of ${partition.topic}/${partition.partition} on from offset ${before.nextOffset}: another worker has moved them. They are opened anew.`,
          );
        }
        if (writes.length > 0) await this.#change(transaction, of, writes);
        if (saved.length > 0) {
          await transaction.query(this.#statements.save, [
            ...[...of, ...namesOf(saved)],
            ...[saved.map(({ facts }) => facts), saved.map(({ quietMs }) => quietMs ?? null)],
          ]);
        }
        return { ...after, changeNumber: before.changeNumber + 1 };
      },
    );
  }

  /** How many alarms of each rule are open. */
  openCounts({
    topic,
    partition,
  }: AlarmPartition): Promise<
    readonly { readonly rule_id: string; readonly severity: Severity; readonly count: number }[]
  > {
    return this.#database.query(this.#statements.openCounts, [topic, partition]);
  }

  /** Changes that wait to be delivered, the oldest first. */
  pending({ topic, partition }: AlarmPartition, to: OutboxTarget, most: number): Promise<readonly AlarmEventRow[]> {
    return this.#database.query<AlarmEventRow>(this.#statements.pending(PENDING[to]), [topic, partition, most]);
  }

  async settle(to: OutboxTarget, eventIds: readonly string[]): Promise<void> {
    await this.#database.query(this.#statements.settle(PENDING[to]), [eventIds]);
  }

  /** Removes alarms that were cleared before a moment, at most so many. */
  async forget({ topic, partition }: AlarmPartition, beforeMs: number, most: number): Promise<void> {
    await this.#database.query(this.#statements.forget, [topic, partition, beforeMs, most]);
  }

  async #change(transaction: ServingTransaction, of: readonly unknown[], writes: readonly AlarmWrite[]): Promise<void> {
    const raised = writes.filter(({ transition }) => transition.change === 'raised');
    const ids = await transaction.query<{ id: string }>(this.#statements.newIds, [
      `${this.#database.schema}.alarm`,
      raised.length,
    ]);
    for (const [index, { alarm }] of raised.entries()) alarm.id = ids[index]?.id ?? '';
    const isNew = new Set(raised.map(({ alarm }) => alarm.id));
    const clearings = writes.filter(({ transition }) => transition.change === 'cleared');
    const earlier = clearings.filter(({ alarm }) => !isNew.has(alarm.id));
    // Before others are raised: of one series and rule only one is open.
    if (earlier.length > 0) {
      await transaction.query(this.#statements.clear, [
        earlier.map(({ alarm }) => alarm.id),
        earlier.map(({ transition }) => transition.atMs),
        earlier.map(({ transition }) => shown(transition.value)),
        earlier.map(({ transition }) => transition.offset),
        earlier.map(({ transition }) => transition.reason),
      ]);
    }
    if (raised.length > 0) {
      const clearedBy = new Map(clearings.map(({ alarm, transition }) => [alarm.id, transition]));
      const cleared = raised.map(({ alarm }) => clearedBy.get(alarm.id));
      await transaction.query(this.#statements.raise, [
        ...of,
        ids.map(({ id }) => id),
        raised.map(({ transition }) => transition.ruleId),
        raised.map(({ transition }) => transition.kind),
        raised.map(({ transition }) => transition.severity),
        ...namesOf(raised.map(({ series }) => series)),
        raised.map(({ transition }) => transition.limit),
        raised.map(({ transition }) => transition.sinceMs),
        raised.map(({ transition }) => transition.atMs),
        raised.map(({ transition }) => shown(transition.value)),
        raised.map(({ transition }) => transition.offset),
        raised.map(({ transition }) => transition.reason),
        cleared.map((transition) => transition?.atMs ?? null),
        cleared.map((transition) => (transition === undefined ? null : shown(transition.value))),
        cleared.map((transition) => transition?.offset ?? null),
        cleared.map((transition): AlarmReason | null => transition?.reason ?? null),
      ]);
    }
    await transaction.query(this.#statements.addEvents, [
      ...[...of, this.#hasWebhook],
      writes.map(({ alarm }) => alarm.id),
      writes.map(({ transition }) => transition.change),
      writes.map(({ transition }) => transition.atMs),
      writes.map(({ transition }) => shown(transition.value)),
      writes.map(({ transition }) => transition.reason),
      writes.map(({ transition }) => transition.offset),
      writes.map(({ appendedMs }) => appendedMs),
    ]);
  }
}

function namesOf(names: readonly SeriesName[]): unknown[] {
  return [names.map(({ sensorId }) => sensorId), names.map(({ aspect }) => aspect), names.map(({ unit }) => unit)];
}

function nameOf({ sensor_id: sensorId, aspect, unit }: NameRow): SeriesName {
  return { sensorId, aspect, unit };
}

function storedOf(row: RaisedRow): StoredAlarm {
  return {
    ...nameOf(row),
    ...{ id: row.id, ruleId: row.rule_id, kind: row.kind, severity: row.severity, limit: row.limit_text },
    ...{ sinceMs: row.since_ms, raisedMs: row.raised_ms, value: row.raised_value, offset: row.raised_offset },
  };
}

function shown(value: string): string {
  return value.slice(0, MOST_VALUE_CHARACTERS);
}
