SELECT sensor_id, unit, event_day,
  COUNT(*) AS readings,
  AVG(CAST(value AS DOUBLE)) AS mean,
  MIN(value) AS least,
  MAX(value) AS greatest,
  SUM(CAST(value AS DOUBLE) * (LEAST(next_ms, day_end_ms) - event_ms)) / 3600000 AS energy_unit_hours
FROM (
  SELECT sensor_id, unit, event_day, event_ms, value,
    (FLOOR(event_ms / 86400000) + 1) * 86400000 AS day_end_ms,
    LEAD(event_ms, 1, 253402300800000) OVER (PARTITION BY sensor_id, unit ORDER BY event_ms) AS next_ms
  FROM {{readings}}
  WHERE aspect = 'real_time' AND value IS NOT NULL AND {{selected}}
) held
GROUP BY sensor_id, unit, event_day
ORDER BY sensor_id, unit, event_day
