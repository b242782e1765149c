-- Glean writes times with a precision of day, hour, minute or finer, always with
-- an offset from UTC. The result is in UTC; a text without an offset is NULL.
CREATE OR REPLACE MACRO glean.parse_datetime(s) AS
  try_cast(
    regexp_replace(
      regexp_extract(s, '^(\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)?)\d*(?:Z|[+-]\d{2}:\d{2})$', 1)
        || CASE length(regexp_extract(s, '^[^T]*(T[^+Z.-]*)', 1)) WHEN 0 THEN 'T00:00:00' WHEN 3 THEN ':00:00' WHEN 6 THEN ':00' ELSE '' END,
      'T', ' ')
    AS TIMESTAMP)
  - CASE WHEN regexp_matches(s, '-\d{2}:\d{2}$') THEN -1 ELSE 1 END
    * to_minutes(
        coalesce(try_cast(regexp_extract(s, '[+-](\d{2}):(\d{2})$', 1) AS INTEGER), 0) * 60
        + coalesce(try_cast(regexp_extract(s, '[+-](\d{2}):(\d{2})$', 2) AS INTEGER), 0));

-- Whole seconds of a timespan {time_unit, value}, rounded down; NULL for a unit that Glean does not have.
CREATE OR REPLACE MACRO glean.timespan_seconds(timespan) AS
  CASE timespan.time_unit
    WHEN 'nanosecond' THEN floor(timespan.value / 1e9)::BIGINT
    WHEN 'microsecond' THEN floor(timespan.value / 1e6)::BIGINT
    WHEN 'millisecond' THEN floor(timespan.value / 1e3)::BIGINT
    WHEN 'second' THEN timespan.value
    WHEN 'minute' THEN timespan.value * 60
    WHEN 'hour' THEN timespan.value * 3600
    WHEN 'day' THEN timespan.value * 86400
  END;
