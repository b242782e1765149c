-- The clients of the day that no earlier day has seen.
WITH pings AS (
  SELECT
    lower(client_info.client_id) AS client_id,
    CAST(sample_id AS BIGINT) AS sample_id,
    submission_timestamp,
    row_number() OVER () AS row_order
  FROM {{ .namespace }}_stable.baseline_v1
  WHERE submission_date = CAST($submission_date AS DATE)
    AND client_info.client_id IS NOT NULL
),
newest_first AS (
  SELECT
    client_id,
    sample_id,
    row_number() OVER (
      PARTITION BY client_id
      ORDER BY submission_timestamp DESC, row_order DESC
    ) AS place
  FROM pings
)
SELECT
  CAST($submission_date AS DATE) AS submission_date,
  CAST($submission_date AS DATE) AS first_seen_date,
  n.sample_id,
  n.client_id
FROM newest_first AS n
WHERE n.place = 1
  AND NOT EXISTS (
    SELECT 1
    FROM {{ .namespace }}_derived.baseline_clients_first_seen_v1 AS seen
    WHERE seen.submission_date < CAST($submission_date AS DATE)
      AND seen.client_id = n.client_id
  )
