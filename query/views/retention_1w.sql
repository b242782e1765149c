-- Of the clients seen in the week that begins on metric_date, those seen again in
-- the week after it. Known 13 days later, on submission_date; 16256 is bits 7 to 13.
CREATE OR REPLACE VIEW "{namespace}"."retention_1w" AS
SELECT
  submission_date - 13 AS metric_date,
  count(*) FILTER (WHERE (days_seen_bits & 16256) != 0) AS clients,
  count(*) FILTER (WHERE (days_seen_bits & 16256) != 0 AND (days_seen_bits & 127) != 0) AS retained,
  retained / nullif(clients, 0) AS retention,
  submission_date
FROM "{namespace}_derived"."baseline_clients_last_seen_v1"
GROUP BY submission_date;
