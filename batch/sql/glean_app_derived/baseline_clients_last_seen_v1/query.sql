-- Yesterday's history moved on by a day, with today's activity in bit 0.
WITH today AS (
  SELECT
    *,
    date_diff('day', first_run_date, CAST($submission_date AS DATE)) AS profile_age,
    -- One row for each client, whatever the case of its id did to its sample.
    row_number() OVER (PARTITION BY client_id ORDER BY sample_id) AS place
  FROM {{ .namespace }}_derived.baseline_clients_daily_v1
  WHERE submission_date = CAST($submission_date AS DATE)
    AND sample_id IS NOT NULL
),
cur AS (
  SELECT
    *,
    CAST(1 AS BIGINT) AS days_seen_bits,
    CAST(CASE WHEN durations > 0 THEN 1 ELSE 0 END AS BIGINT) AS days_active_bits,
    CASE WHEN profile_age BETWEEN 0 AND 6 THEN CAST(1 AS BIGINT) << profile_age ELSE 0 END AS days_created_profile_bits,
    CAST(CASE WHEN browser_engagement_uri_count >= 1 THEN 1 ELSE 0 END AS BIGINT) AS days_visited_1_uri_bits
  FROM today
  WHERE place = 1
),
prev AS (
  SELECT *
  FROM {{ .namespace }}_derived.baseline_clients_last_seen_v1
  WHERE submission_date = CAST($submission_date AS DATE) - 1
    AND sample_id IS NOT NULL
    AND udf.shift_28_bits_one_day(days_seen_bits) > 0
)
SELECT
  CAST($submission_date AS DATE) AS submission_date,
  coalesce(cur.client_id, prev.client_id) AS client_id,
  -- The rest of a client's row is one day's, today's if there is one: a null of today stays null.
  CASE WHEN cur.client_id IS NULL THEN prev.sample_id ELSE cur.sample_id END AS sample_id,
  CASE WHEN cur.client_id IS NULL THEN prev.first_run_date ELSE cur.first_run_date END AS first_run_date,
  CASE WHEN cur.client_id IS NULL THEN prev.first_seen_date ELSE cur.first_seen_date END AS first_seen_date,
  CASE WHEN cur.client_id IS NULL THEN prev.is_new_profile ELSE cur.is_new_profile END AS is_new_profile,
  CASE WHEN cur.client_id IS NULL THEN prev.durations ELSE cur.durations END AS durations,
  CASE WHEN cur.client_id IS NULL THEN prev.normalized_channel ELSE cur.normalized_channel END AS normalized_channel,
  CASE WHEN cur.client_id IS NULL THEN prev.normalized_os ELSE cur.normalized_os END AS normalized_os,
  CASE WHEN cur.client_id IS NULL THEN prev.normalized_os_version ELSE cur.normalized_os_version END AS normalized_os_version,
  CASE WHEN cur.client_id IS NULL THEN prev.android_sdk_version ELSE cur.android_sdk_version END AS android_sdk_version,
  CASE WHEN cur.client_id IS NULL THEN prev.locale ELSE cur.locale END AS locale,
  CASE WHEN cur.client_id IS NULL THEN prev.city ELSE cur.city END AS city,
  CASE WHEN cur.client_id IS NULL THEN prev.country ELSE cur.country END AS country,
  CASE WHEN cur.client_id IS NULL THEN prev.isp ELSE cur.isp END AS isp,
  CASE WHEN cur.client_id IS NULL THEN prev.app_build ELSE cur.app_build END AS app_build,
  CASE WHEN cur.client_id IS NULL THEN prev.app_channel ELSE cur.app_channel END AS app_channel,
  CASE WHEN cur.client_id IS NULL THEN prev.app_display_version ELSE cur.app_display_version END AS app_display_version,
  CASE WHEN cur.client_id IS NULL THEN prev.architecture ELSE cur.architecture END AS architecture,
  CASE WHEN cur.client_id IS NULL THEN prev.device_manufacturer ELSE cur.device_manufacturer END AS device_manufacturer,
  CASE WHEN cur.client_id IS NULL THEN prev.device_model ELSE cur.device_model END AS device_model,
  CASE WHEN cur.client_id IS NULL THEN prev.telemetry_sdk_build ELSE cur.telemetry_sdk_build END AS telemetry_sdk_build,
  CASE WHEN cur.client_id IS NULL THEN prev.browser_engagement_uri_count ELSE cur.browser_engagement_uri_count END AS browser_engagement_uri_count,
  CASE WHEN cur.client_id IS NULL THEN prev.browser_engagement_active_ticks ELSE cur.browser_engagement_active_ticks END AS browser_engagement_active_ticks,
  CASE WHEN cur.client_id IS NULL THEN prev.active_hours_sum ELSE cur.active_hours_sum END AS active_hours_sum,
  CASE WHEN cur.client_id IS NULL THEN prev.experiments ELSE cur.experiments END AS experiments,
  udf.combine_adjacent_days_28_bits(prev.days_seen_bits, cur.days_seen_bits) AS days_seen_bits,
  udf.combine_adjacent_days_28_bits(prev.days_active_bits, cur.days_active_bits) AS days_active_bits,
  udf.combine_adjacent_days_28_bits(prev.days_created_profile_bits, cur.days_created_profile_bits) AS days_created_profile_bits,
  udf.combine_adjacent_days_28_bits(prev.days_seen_session_start_bits, cur.days_seen_session_start_bits) AS days_seen_session_start_bits,
  udf.combine_adjacent_days_28_bits(prev.days_seen_session_end_bits, cur.days_seen_session_end_bits) AS days_seen_session_end_bits,
  udf.combine_adjacent_days_28_bits(prev.days_visited_1_uri_bits, cur.days_visited_1_uri_bits) AS days_visited_1_uri_bits
FROM cur
FULL JOIN prev
  ON prev.client_id = cur.client_id
