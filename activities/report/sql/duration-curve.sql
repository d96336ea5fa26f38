SELECT sensor_id, unit, 100.0D * (first_step + n) / {{steps}} AS share_percent, value, readings
FROM (
  SELECT sensor_id, unit, value, readings,
    IF(readings = 1, 0, ((place - 1) * {{steps}} + readings - 2) DIV GREATEST(readings - 1, 1)) AS first_step,
    IF(readings = 1, {{steps}}, LEAST({{steps}}, (place * {{steps}} + readings - 2) DIV GREATEST(readings - 1, 1) - 1)) AS last_step
  FROM (
    SELECT sensor_id, unit, value,
      ROW_NUMBER() OVER (PARTITION BY sensor_id, unit ORDER BY value DESC) AS place,
      COUNT(*) OVER (PARTITION BY sensor_id, unit) AS readings
    FROM {{readings}}
    WHERE aspect = 'real_time' AND value IS NOT NULL AND {{selected}}
  ) ranked
) places
LATERAL VIEW POSEXPLODE(SPLIT(SPACE(CAST(last_step - first_step AS INT)), ' ')) ns AS n, nothing
WHERE first_step <= last_step
ORDER BY sensor_id, unit, share_percent
