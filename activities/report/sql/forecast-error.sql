SELECT sensor_id, unit, event_day,
  COUNT(*) AS intervals,
  AVG(ABS(forecast - measured)) AS mae,
  SQRT(AVG((forecast - measured) * (forecast - measured))) AS rmse,
  AVG(forecast - measured) AS bias,
  AVG(measured) AS measured_mean
FROM (
  SELECT sensor_id, unit, event_day, FLOOR(event_ms / ({{intervalSeconds}} * 1000L)) AS place,
    AVG(IF(aspect = 'edge_prediction', CAST(value AS DOUBLE), NULL)) AS forecast,
    AVG(IF(aspect = 'real_time', CAST(value AS DOUBLE), NULL)) AS measured
  FROM {{readings}}
  WHERE aspect IN ('real_time', 'edge_prediction') AND value IS NOT NULL AND {{selected}}
  GROUP BY sensor_id, unit, event_day, FLOOR(event_ms / ({{intervalSeconds}} * 1000L))
) intervals
WHERE forecast IS NOT NULL AND measured IS NOT NULL
GROUP BY sensor_id, unit, event_day
ORDER BY sensor_id, unit, event_day
