SELECT sensor_id, unit, event_day,
  MAX(IF(from_top = 1, value, NULL)) AS peak,
  MAX(IF(from_top = 1, event_time, NULL)) AS peak_at,
  MAX(IF(from_bottom = 1, value, NULL)) AS low,
  MAX(IF(from_bottom = 1, event_time, NULL)) AS low_at,
  COUNT(*) AS readings
FROM (
  SELECT sensor_id, unit, event_day, event_time, value,
    ROW_NUMBER() OVER (PARTITION BY sensor_id, unit, event_day ORDER BY value DESC, event_ms) AS from_top,
    ROW_NUMBER() OVER (PARTITION BY sensor_id, unit, event_day ORDER BY value, event_ms) AS from_bottom
  FROM {{readings}}
  WHERE aspect = 'real_time' AND value IS NOT NULL AND {{selected}}
) ranked
GROUP BY sensor_id, unit, event_day
ORDER BY sensor_id, unit, event_day
