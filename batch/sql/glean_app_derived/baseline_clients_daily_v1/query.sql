-- What each client sent on the day, in one row.
WITH pings AS (
  SELECT
    lower(client_info.client_id) AS client_id,
    CAST(sample_id AS BIGINT) AS sample_id,
    submission_timestamp,
    row_number() OVER () AS row_order,
    CASE WHEN substr(client_info.first_run_date, 1, 10) LIKE '____-__-__' THEN
      TRY_CAST(substr(client_info.first_run_date, 1, 10) AS DATE)
    END AS first_run_date,
    glean.parse_datetime(ping_info.end_time) AS end_time,
    -- What is longer than 100000 seconds in any unit does not count, and could overflow.
    CASE WHEN metrics.timespan['glean.baseline.duration'].value BETWEEN -100001000000000 AND 100001000000000 THEN
      glean.timespan_seconds(metrics.timespan['glean.baseline.duration'])
    END AS duration,
    metrics.counter['browser.engagement.uri_count'] AS uri_count,
    metrics.counter['browser.engagement.active_ticks'] AS active_ticks,
    ping_info.experiments AS experiments,
    normalized_channel,
    normalized_os,
    normalized_os_version,
    CAST(client_info.android_sdk_version AS VARCHAR) AS android_sdk_version,
    client_info.locale AS locale,
    metadata.geo.city AS city,
    normalized_country_code AS country,
    metadata.isp.name AS isp,
    client_info.app_build AS app_build,
    client_info.app_channel AS app_channel,
    client_info.app_display_version AS app_display_version,
    client_info.architecture AS architecture,
    client_info.device_manufacturer AS device_manufacturer,
    client_info.device_model AS device_model,
    client_info.telemetry_sdk_build AS telemetry_sdk_build
  FROM {{ .namespace }}_stable.baseline_v1
  WHERE submission_date = CAST($submission_date AS DATE)
    AND client_info.client_id IS NOT NULL
),
placed AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY client_id ORDER BY submission_timestamp, row_order) AS place,
    count(*) OVER (PARTITION BY client_id) AS pings_of_client,
    date_diff('day', CAST(end_time AS DATE), CAST($submission_date AS DATE)) AS end_days_ago,
    CASE WHEN duration BETWEEN -3000000000 AND 3000000000 THEN
      date_diff('day', CAST(end_time - duration * INTERVAL 1 SECOND AS DATE), CAST($submission_date AS DATE))
    END AS start_days_ago
  FROM pings
),
kept AS (
  SELECT * FROM placed WHERE pings_of_client <= 150000
),
totals AS (
  SELECT
    client_id,
    sample_id,
    min(first_run_date) AS first_run_date,
    CAST(sum(CASE WHEN duration BETWEEN 0 AND 100000 THEN duration ELSE 0 END) AS BIGINT) AS durations,
    bit_or(CASE WHEN start_days_ago BETWEEN 0 AND 27 THEN CAST(1 AS BIGINT) << start_days_ago END) AS days_seen_session_start_bits,
    bit_or(CASE WHEN end_days_ago BETWEEN 0 AND 27 THEN CAST(1 AS BIGINT) << end_days_ago END) AS days_seen_session_end_bits,
    -- Counters are the client's word: the sum is bounded so that no client can fail the day.
    CAST(greatest(least(sum(coalesce(uri_count, 0)), 9223372036854775807), 0) AS BIGINT) AS browser_engagement_uri_count,
    CAST(greatest(least(sum(coalesce(active_ticks, 0)), 9223372036854775807), 0) AS BIGINT) AS browser_engagement_active_ticks,
    max_by(experiments, place) FILTER (WHERE experiments IS NOT NULL) AS experiments,
    -- Most clients say the same all day: then the only value is the most frequent one.
    max(normalized_channel) AS normalized_channel,
    max(normalized_os) AS normalized_os,
    max(normalized_os_version) AS normalized_os_version,
    max(android_sdk_version) AS android_sdk_version,
    max(locale) AS locale,
    max(city) AS city,
    max(country) AS country,
    max(isp) AS isp,
    max(app_build) AS app_build,
    max(app_channel) AS app_channel,
    max(app_display_version) AS app_display_version,
    max(architecture) AS architecture,
    max(device_manufacturer) AS device_manufacturer,
    max(device_model) AS device_model,
    max(telemetry_sdk_build) AS telemetry_sdk_build,
    min(normalized_channel) < max(normalized_channel)
    OR min(normalized_os) < max(normalized_os)
    OR min(normalized_os_version) < max(normalized_os_version)
    OR min(android_sdk_version) < max(android_sdk_version)
    OR min(locale) < max(locale)
    OR min(city) < max(city)
    OR min(country) < max(country)
    OR min(isp) < max(isp)
    OR min(app_build) < max(app_build)
    OR min(app_channel) < max(app_channel)
    OR min(app_display_version) < max(app_display_version)
    OR min(architecture) < max(architecture)
    OR min(device_manufacturer) < max(device_manufacturer)
    OR min(device_model) < max(device_model)
    OR min(telemetry_sdk_build) < max(telemetry_sdk_build) AS changed
  FROM kept
  GROUP BY client_id, sample_id
),
-- Of clients that changed, one row for each ping and dimension.
said AS (
  SELECT
    kept.client_id,
    kept.sample_id,
    kept.place,
    dimension.name,
    CASE dimension.name
      WHEN 'normalized_channel' THEN kept.normalized_channel
      WHEN 'normalized_os' THEN kept.normalized_os
      WHEN 'normalized_os_version' THEN kept.normalized_os_version
      WHEN 'android_sdk_version' THEN kept.android_sdk_version
      WHEN 'locale' THEN kept.locale
      WHEN 'city' THEN kept.city
      WHEN 'country' THEN kept.country
      WHEN 'isp' THEN kept.isp
      WHEN 'app_build' THEN kept.app_build
      WHEN 'app_channel' THEN kept.app_channel
      WHEN 'app_display_version' THEN kept.app_display_version
      WHEN 'architecture' THEN kept.architecture
      WHEN 'device_manufacturer' THEN kept.device_manufacturer
      WHEN 'device_model' THEN kept.device_model
      WHEN 'telemetry_sdk_build' THEN kept.telemetry_sdk_build
    END AS value
  FROM kept
  JOIN totals
    ON totals.changed
    AND totals.client_id = kept.client_id
    AND totals.sample_id IS NOT DISTINCT FROM kept.sample_id
  CROSS JOIN (
    VALUES
      ('normalized_channel'),
      ('normalized_os'),
      ('normalized_os_version'),
      ('android_sdk_version'),
      ('locale'),
      ('city'),
      ('country'),
      ('isp'),
      ('app_build'),
      ('app_channel'),
      ('app_display_version'),
      ('architecture'),
      ('device_manufacturer'),
      ('device_model'),
      ('telemetry_sdk_build')
  ) AS dimension(name)
),
frequency AS (
  SELECT client_id, sample_id, name, value, count(*) AS times, max(place) AS latest
  FROM said
  WHERE value IS NOT NULL
  GROUP BY client_id, sample_id, name, value
),
ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY client_id, sample_id, name ORDER BY times DESC, latest DESC) AS rank
  FROM frequency
),
modes AS (
  SELECT
    client_id,
    sample_id,
    max(CASE WHEN name = 'normalized_channel' THEN value END) AS normalized_channel,
    max(CASE WHEN name = 'normalized_os' THEN value END) AS normalized_os,
    max(CASE WHEN name = 'normalized_os_version' THEN value END) AS normalized_os_version,
    max(CASE WHEN name = 'android_sdk_version' THEN value END) AS android_sdk_version,
    max(CASE WHEN name = 'locale' THEN value END) AS locale,
    max(CASE WHEN name = 'city' THEN value END) AS city,
    max(CASE WHEN name = 'country' THEN value END) AS country,
    max(CASE WHEN name = 'isp' THEN value END) AS isp,
    max(CASE WHEN name = 'app_build' THEN value END) AS app_build,
    max(CASE WHEN name = 'app_channel' THEN value END) AS app_channel,
    max(CASE WHEN name = 'app_display_version' THEN value END) AS app_display_version,
    max(CASE WHEN name = 'architecture' THEN value END) AS architecture,
    max(CASE WHEN name = 'device_manufacturer' THEN value END) AS device_manufacturer,
    max(CASE WHEN name = 'device_model' THEN value END) AS device_model,
    max(CASE WHEN name = 'telemetry_sdk_build' THEN value END) AS telemetry_sdk_build
  FROM ranked
  WHERE rank = 1
  GROUP BY client_id, sample_id
)
SELECT
  CAST($submission_date AS DATE) AS submission_date,
  totals.client_id,
  totals.sample_id,
  totals.first_run_date,
  seen.first_seen_date,
  seen.first_seen_date = CAST($submission_date AS DATE) AS is_new_profile,
  totals.durations,
  totals.days_seen_session_start_bits,
  totals.days_seen_session_end_bits,
  coalesce(modes.normalized_channel, totals.normalized_channel) AS normalized_channel,
  coalesce(modes.normalized_os, totals.normalized_os) AS normalized_os,
  coalesce(modes.normalized_os_version, totals.normalized_os_version) AS normalized_os_version,
  coalesce(modes.android_sdk_version, totals.android_sdk_version) AS android_sdk_version,
  coalesce(modes.locale, totals.locale) AS locale,
  coalesce(modes.city, totals.city) AS city,
  coalesce(modes.country, totals.country) AS country,
  coalesce(modes.isp, totals.isp) AS isp,
  coalesce(modes.app_build, totals.app_build) AS app_build,
  coalesce(modes.app_channel, totals.app_channel) AS app_channel,
  coalesce(modes.app_display_version, totals.app_display_version) AS app_display_version,
  coalesce(modes.architecture, totals.architecture) AS architecture,
  coalesce(modes.device_manufacturer, totals.device_manufacturer) AS device_manufacturer,
  coalesce(modes.device_model, totals.device_model) AS device_model,
  coalesce(modes.telemetry_sdk_build, totals.telemetry_sdk_build) AS telemetry_sdk_build,
  totals.browser_engagement_uri_count,
  totals.browser_engagement_active_ticks,
  totals.browser_engagement_active_ticks / 720.0 AS active_hours_sum,
  totals.experiments
FROM totals
LEFT JOIN modes
  ON modes.client_id = totals.client_id
  AND modes.sample_id IS NOT DISTINCT FROM totals.sample_id
LEFT JOIN {{ .namespace }}_derived.baseline_clients_first_seen_v1 AS seen
  ON seen.client_id = totals.client_id
  AND seen.submission_date <= CAST($submission_date AS DATE)
