import { GridError } from '../../grid/errors.ts';
import type { RedisConnection } from './connection.ts';
import { redisScript } from './connection.ts';
import { TEMPORAL_ASPECTS, type TemporalAspect } from '../../grid/reading.ts';
import { aspectKey, POSITIONS_KEY, positionField, versionKey } from './newest-keys.ts';

/** A value, which is kept if its version is higher than that of what is there. */
export interface VersionedValue {
  /** {@link VERSION_DIGITS} decimal digits: they compare alike in every locale. */
  readonly version: string;
  readonly value: Buffer;
}

/** What a sensor has newly: of each aspect that there was, the newest. */
export interface NewestCandidate {
  readonly sensorId: string;
  readonly newest: ReadonlyMap<TemporalAspect, VersionedValue>;
}

export const VERSION_DIGITS = 60;

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

/** Sensors per `MGET`/`MSET` inside the script: Lua's stack holds some thousand arguments of a call, up to eight go to each. */
const SLICE = 500;

/**
 * One atomic step: refuse if Redis has gone back behind `from`; keep every candidate whose version is higher than that of what is there
 * of its aspect, and as the newest of all if it is that; move the position on. Redis compares strings by the server's locale (strcoll):
 * digits of equal length compare alike in all.
 *
 * The versions of a sensor are one string: of its newest reading, and then of the newest of each aspect (zeros for none). Written before
 * there were values of an aspect, it is the first alone: the value that is there is then taken for its aspect.
 *
 * KEYS: positions, the n sensors' keys, their n keys of versions, and n keys for each aspect.
 * ARGV: position field, from (or ''), to, the number of sensors, the aspects, then for each aspect n versions and n values, '' for none.
 * Reply: how many values were the newest of their aspect, or -1 for a refusal.
 */
const OFFER = redisScript(`
local position = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '')
if ARGV[2] ~= '' and (not position or position < tonumber(ARGV[2])) then return -1 end

local n = tonumber(ARGV[4])
local aspects = ${TEMPORAL_ASPECTS.length}
local none = string.rep('0', ${VERSION_DIGITS})

local function aspectOf(envelope)
  local ok, found = pcall(function()
    local payload = cjson.decode(envelope).payload
    if type(payload) == 'string' then payload = cjson.decode(payload) end
    return payload.temporal_aspect
  end)
  return ok and found
end

local written = 0
for first = 1, n, ${SLICE} do
  local last = math.min(first + ${SLICE - 1}, n)
  local stored = redis.call('MGET', unpack(KEYS, 1 + n + first, 1 + n + last))
  local pairs, length = {}, 0
  local function set(key, value)
    pairs[length + 1] = key
    pairs[length + 2] = value
    length = length + 2
  end
  for i = first, last do
    local current = stored[i - first + 1]
    local newest, held = none, {}
    for a = 1, aspects do held[a] = none end
    if current then
      newest = current:sub(1, ${VERSION_DIGITS})
      if #current == ${VERSION_DIGITS} then
        local value = redis.call('GET', KEYS[1 + i])
        local aspect = value and aspectOf(value)
        for a = 1, aspects do
          if ARGV[4 + a] == aspect then
            held[a] = newest
            set(KEYS[1 + (1 + a) * n + i], value)
          end
        end
      else
        for a = 1, aspects do held[a] = current:sub(a * ${VERSION_DIGITS} + 1, (a + 1) * ${VERSION_DIGITS}) end
      end
    end
    local changed, top = false, nil
    for a = 1, aspects do
      local at = 4 + aspects + (a - 1) * 2 * n + i
      local version = ARGV[at]
      if version ~= '' and held[a] < version then
        held[a] = version
        set(KEYS[1 + (1 + a) * n + i], ARGV[at + n])
        written = written + 1
        changed = true
        if newest < version then
          newest = version
          top = ARGV[at + n]
        end
      end
    end
    if changed or (current and #current == ${VERSION_DIGITS}) then
      set(KEYS[1 + n + i], newest .. table.concat(held))
    end
    if top then set(KEYS[1 + i], top) end
  end
  if length > 0 then redis.call('MSET', unpack(pairs)) end
end

if not position or position < tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return written
`);

/**
 * The newest envelope of each sensor, in Redis: `GET <sensor id>` returns its bytes; beside it the newest of each aspect, so that a
 * prediction for tomorrow does not hide what was measured today.
 *
 * Each value has a version, and both change in one atomic step in which the higher version wins; so the order in
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
   * @returns how many values were the newest of their aspect; the others were not newer than what was there.
   * @throws GridError `redis-rolled-back` when Redis no longer has what lies before `step.from`: ask for its position and
   *   read again from there; `redis-unavailable`, `redis-refused`.
   */
  async offer(owner: PositionOwner, step: PositionStep, candidates: readonly NewestCandidate[]): Promise<number> {
    const ids = candidates.map(({ sensorId }) => sensorId);
    const keys: string[] = [POSITIONS_KEY, ...ids, ...ids.map(versionKey)];
    const args: (string | Buffer | number)[] = [fieldOf(owner), step.from ?? '', step.to, ids.length];
    args.push(...TEMPORAL_ASPECTS);
    for (const aspect of TEMPORAL_ASPECTS) {
      for (const { sensorId } of candidates) keys.push(aspectKey(sensorId, aspect));
      for (const { newest } of candidates) args.push(newest.get(aspect)?.version ?? '');
      for (const { newest } of candidates) args.push(newest.get(aspect)?.value ?? '');
    }
    const attempt = `Writing the newest values of ${candidates.length} sensors of ${describe(owner)} up to offset ${step.to}`;
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
