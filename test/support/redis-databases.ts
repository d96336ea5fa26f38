/** Numbers of the databases that tests have to themselves at the shared Redis, which has 16; workers use 0. One for each file. */
export const REDIS_DATABASES = {
  redisSink: 9,
  killedWorkers: 10,
  storesDown: 11,
  backlog: 13,
  dashboard: 14,
  servingApi: 6,
  servingFuzz: 7,
  servingEvents: 8,
  alarms: 5,
} as const;
