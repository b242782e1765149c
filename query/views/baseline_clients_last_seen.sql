CREATE OR REPLACE VIEW "{namespace}"."baseline_clients_last_seen" AS
SELECT
  *,
  bits28.days_since_seen(days_seen_bits) AS days_since_seen,
  bits28.days_since_seen(days_active_bits) AS days_since_active,
  bits28.days_since_seen(days_created_profile_bits) AS days_since_created_profile,
  bits28.days_since_seen(days_seen_session_start_bits) AS days_since_seen_session_start,
  bits28.days_since_seen(days_seen_session_end_bits) AS days_since_seen_session_end,
  bits28.days_since_seen(days_visited_1_uri_bits) AS days_since_visited_1_uri
FROM "{namespace}_derived"."baseline_clients_last_seen_v1";
