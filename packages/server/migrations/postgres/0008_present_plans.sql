-- The plans that stand now are known, so that the next change can be told from them.
UPDATE experiment_versions v SET plan = jsonb_build_object(
  'method', coalesce(e.analysis->>'method', 'sequential'),
  'confidence_level', e.analysis->'confidence_level',
  'expected_users', e.analysis->'expected_users',
  'ends_at', to_char(e.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'metrics', (SELECT coalesce(jsonb_agg(m ORDER BY place), '[]')
              FROM jsonb_array_elements(e.metrics) WITH ORDINALITY AS x (m, place)
              WHERE m->>'role' <> 'secondary'))
FROM experiments e
WHERE v.experiment_id = e.id AND v.version = e.version AND e.started_at IS NOT NULL
  AND v.plan IS NULL;
