-- dau, wau, mau count clients active by the product's criterion (a session that
-- lasted); daily_users, weekly_users, monthly_users count clients that sent anything.
-- Days are days of receipt; 127 is a week of bits, 268435455 all 28.
CREATE OR REPLACE VIEW "{namespace}"."active_users_aggregates" AS
SELECT
  submission_date,
  count(*) FILTER (WHERE (days_active_bits & 1) != 0) AS dau,
  count(*) FILTER (WHERE (days_active_bits & 127) != 0) AS wau,
  count(*) FILTER (WHERE (days_active_bits & 268435455) != 0) AS mau,
  count(*) FILTER (WHERE (days_seen_bits & 1) != 0) AS daily_users,
  count(*) FILTER (WHERE (days_seen_bits & 127) != 0) AS weekly_users,
  count(*) FILTER (WHERE (days_seen_bits & 268435455) != 0) AS monthly_users
FROM "{namespace}_derived"."baseline_clients_last_seen_v1"
GROUP BY submission_date;
