SELECT
  CAST(NULL AS DATE) AS submission_date,
  CAST(NULL AS DATE) AS first_seen_date,
  CAST(NULL AS BIGINT) AS sample_id,
  CAST(NULL AS VARCHAR) AS client_id
