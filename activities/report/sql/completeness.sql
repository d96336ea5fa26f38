WITH chosen AS (
  SELECT sensor_id, unit, event_day, event_ms,
    LEAD(event_ms) OVER (PARTITION BY sensor_id, unit ORDER BY event_ms) - event_ms AS gap_ms
  FROM {{readings}}
  WHERE aspect = 'real_time' AND {{selected}}
),
paces AS (
  SELECT sensor_id, unit, PERCENTILE(gap_ms, 0.5) AS cadence_ms, MIN(event_day) AS first_day, MAX(event_day) AS last_day
  FROM chosen
  WHERE gap_ms IS NULL OR gap_ms > 0
  GROUP BY sensor_id, unit
),
days AS (
  SELECT sensor_id, unit, cadence_ms, CAST(DATE_ADD(first_day, n) AS STRING) AS event_day
  FROM paces
  LATERAL VIEW POSEXPLODE(SPLIT(SPACE(DATEDIFF(last_day, first_day)), ' ')) ns AS n, nothing
),
counts AS (
  SELECT sensor_id, unit, event_day, COUNT(*) AS readings, MAX(gap_ms) AS longest_gap_ms
  FROM chosen
  GROUP BY sensor_id, unit, event_day
),
spans AS (
  SELECT days.sensor_id, days.unit, days.event_day, days.cadence_ms, COALESCE(counts.readings, 0) AS readings, counts.longest_gap_ms,
    LEAST({{to_ms}}, (DATEDIFF(days.event_day, '1970-01-01') + 1) * 86400000L)
      - GREATEST({{from_ms}}, DATEDIFF(days.event_day, '1970-01-01') * 86400000L) AS span_ms
  FROM days
  LEFT JOIN counts ON days.sensor_id = counts.sensor_id AND days.unit = counts.unit AND days.event_day = counts.event_day
)
SELECT sensor_id, unit, event_day, readings,
  CAST(CEIL(span_ms / cadence_ms) AS BIGINT) AS expected,
  100.0D * readings / CEIL(span_ms / cadence_ms) AS complete_percent,
  cadence_ms / 1000 AS cadence_seconds,
  longest_gap_ms / 1000 AS longest_gap_seconds
FROM spans
ORDER BY sensor_id, unit, event_day
