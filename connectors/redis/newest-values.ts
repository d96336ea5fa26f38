import { GridError } from '../../grid/errors.ts';
import type { RedisConnection } from './connection.ts';
import { redisScript } from './connection.ts';
import { POSITIONS_KEY, positionField, versionKey } from './newest-keys.ts';

/** A value for a sensor, which is kept if its version is higher than that of what is there. */
export interface NewestCandidate {
  readonly sensorId: string;
  /** Decimal digits only, all versions of the same length, so that they compare alike in every locale. */
  readonly version: string;
  readonly value: Buffer;
}

/** Which consumer group's reading of which partition a position belongs to. */
export interface PositionOwner {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** A step of reading: from the position that Redis must have reached, to the one behind the candidates. */
export interface PositionStep {
  /** The position that Redis acknowledged last; undefined when this reader has not learnt of one. */
  readonly from: number | undefined;
  readonly to: number;
}

/** Values per `MGET`/`MSET` inside the script: Lua's stack holds some thousand arguments of a call, four go to each. */
const SLICE = 500;

/**
 * One atomic step: refuse if Redis has gone back behind `from`; keep every candidate whose version is higher; move the
 * position on. Redis compares strings by the server's locale (strcoll): digits of equal length compare alike in all.
 *
 * KEYS: positions, the n sensors' keys, their n version keys.
 * ARGV: position field, from (or ''), to, then n versions and n values.
 * Reply: how many values were written, or -1 for a refusal.
 */
const OFFER = redisScript(`
local position = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '')
if ARGV[2] ~= '' and (not position or position < tonumber(ARGV[2])) then return -1 end

local n = (#KEYS - 1) / 2
local written = 0
for first = 1, n, ${SLICE} do
  local last = math.min(first + ${SLICE - 1}, n)
  local stored = redis.call('MGET', unpack(KEYS, 1 + n + first, 1 + n + last))
  local pairs, length = {}, 0
  for i = first, last do
    local current = stored[i - first + 1]
    if not current or current < ARGV[3 + i] then
      pairs[length + 1] = KEYS[1 + i]
      pairs[length + 2] = ARGV[3 + n + i]
      pairs[length + 3] = KEYS[1 + n + i]
      pairs[length + 4] = ARGV[3 + i]
      length = length + 4
    end
  end
  if length > 0 then redis.call('MSET', unpack(pairs)) end
  written = written + length / 4
end

if not position or position < tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return written
`);

/**
 * The newest envelope of each sensor, in Redis: `GET <sensor id>` returns its bytes.
 *
 * Each value has a version beside it, and both change in one atomic step in which the higher version wins; so the order in
 * which readers, competing ones too, offer values does not matter, and offering one again changes nothing.
 *
 * The reading position of each partition moves in the same step. A Redis that comes back older than it was (its machine
 * crashed before the append-only file was synced, a snapshot was restored, it was emptied) therefore tells so by its position,
 * and just what it lost is read again.
 */
export class NewestValues {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** The position that Redis has reached, or undefined when it knows of none: then it is to be filled from the beginning. */
  async position(owner: PositionOwner): Promise<number | undefined> {
    await this.#connection.whenReady();
    const attempt = `Reading the position of ${describe(owner)}`;
    const reply = await this.#connection.call('HGET', [POSITIONS_KEY, fieldOf(owner)], attempt);
    if (reply === null || reply === undefined) return undefined;
    if (typeof reply === 'string' && /^\d{1,15}$/.test(reply)) return Number(reply);
    throw new GridError(
      'redis-refused',
      `${attempt}: ${JSON.stringify(reply)} is no offset. Remove the field to have the newest values read again from Kafka's beginning.`,
    );
  }

  /**
   * Offers the newest values of a run of records. Candidates are to be of different sensors. Keep the number of them to some
   * thousands: Redis serves nobody else meanwhile (about 5 ms per 1,000).
   *
   * @returns how many values were written; the others were not newer than what was there.
   * @throws GridError `redis-rolled-back` when Redis no longer has what lies before `step.from`: ask for its position and
   *   read again from there; `redis-unavailable`, `redis-refused`.
   */
  async offer(owner: PositionOwner, step: PositionStep, candidates: readonly NewestCandidate[]): Promise<number> {
    const keys: string[] = [POSITIONS_KEY];
    const args: (string | Buffer | number)[] = [fieldOf(owner), step.from ?? '', step.to];
    for (const candidate of candidates) keys.push(candidate.sensorId);
    for (const candidate of candidates) {
      keys.push(versionKey(candidate.sensorId));
      args.push(candidate.version);
    }
    for (const candidate of candidates) args.push(candidate.value);
    const attempt = `Writing ${candidates.length} newest values of ${describe(owner)} up to offset ${step.to}`;
    const written = Number(await this.#connection.run(OFFER, keys, args, attempt));
    if (written >= 0) return written;
    throw new GridError(
      'redis-rolled-back',
      `${attempt}: Redis has gone back behind offset ${String(step.from)}, which it had acknowledged (it was emptied, or restored from an older state). What it lost is read again.`,
    );
  }
}

function fieldOf(owner: PositionOwner): string {
  return positionField(owner.group, owner.topic, owner.partition);
}

function describe(owner: PositionOwner): string {
  return `${owner.topic}/${owner.partition} for ${owner.group}`;
}
