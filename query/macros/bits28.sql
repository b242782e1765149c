-- Patterns of 28 days: bit 0 is the pattern's own day, bit 27 is 27 days before.
-- An offset counts days from the pattern's own day and is never positive.

CREATE OR REPLACE MACRO bits28.range(bits, start_offset, n_bits) AS
  CASE
    WHEN start_offset > 0 THEN
      error('bits28.range: start_offset ' || start_offset || ' is positive: day 0 is the last one')
    WHEN start_offset < -63 THEN
      error('bits28.range: start_offset ' || start_offset || ' is before -63')
    WHEN n_bits > 1 - start_offset THEN
      error('bits28.range: ' || n_bits || ' bits from offset ' || start_offset || ' reach beyond day 0')
    WHEN n_bits < 0 THEN
      error('bits28.range: n_bits ' || n_bits || ' is negative')
    -- A shift of a negative BIGINT repeats the sign; the second operand clears it.
    WHEN 1 - start_offset - n_bits = 0 THEN
      bits::BIGINT & CASE WHEN n_bits > 63 THEN -1 ELSE 9223372036854775807 >> (63 - n_bits)::INTEGER END
    ELSE
      (bits::BIGINT >> (1 - start_offset - n_bits)::INTEGER)
      & (9223372036854775807 >> greatest(0 - start_offset - n_bits, 0)::INTEGER)
      & (9223372036854775807 >> greatest(63 - n_bits, 0)::INTEGER)
  END;

CREATE OR REPLACE MACRO bits28.active_in_range(bits, start_offset, n_bits) AS
  bits28.range(bits, start_offset, n_bits) != 0;

CREATE OR REPLACE MACRO bits28.days_since_seen(bits) AS
  CASE
    WHEN bits::BIGINT = 0 THEN NULL
    WHEN bits::BIGINT = -9223372036854775807 - 1 THEN 63
    ELSE bit_count((bits::BIGINT & -(bits::BIGINT)) - 1)::BIGINT
  END;

CREATE OR REPLACE MACRO bits28.from_string(s) AS
  CASE
    WHEN s IS NULL OR NOT regexp_full_match(s, '[01]{1,28}') THEN
      error('bits28.from_string: ' || coalesce('''' || s || '''', 'NULL') || ' is not 1 to 28 digits 0 and 1')
    ELSE lpad(s, 64, '0')::BIT::BIGINT
  END;

CREATE OR REPLACE MACRO bits28.to_string(bits) AS
  right(bits::BIGINT::BIT::VARCHAR, 28);

CREATE OR REPLACE MACRO bits28.to_dates(bits, last_date) AS
  list_transform(
    list_filter(range(63, -1, -1), lambda i: ((coalesce(bits::BIGINT, 0) >> i::INTEGER) & 1) = 1),
    lambda i: last_date::DATE - i::INTEGER);

-- For each metric date the questions of N-week retention, answered from one pattern.
CREATE OR REPLACE MACRO bits28.retention(bits, last_date) AS {
  'day_0': {
    'metric_date': last_date::DATE,
    'active_on_metric_date': bits28.active_in_range(bits, 0, 1)},
  'day_6': {
    'metric_date': last_date::DATE - 6,
    'active_on_metric_date': bits28.active_in_range(bits, -6, 1),
    'active_in_week_0': bits28.active_in_range(bits, -6, 7),
    'active_in_week_0_after_metric_date': bits28.active_in_range(bits, -5, 6)},
  'day_13': {
    'metric_date': last_date::DATE - 13,
    'active_on_metric_date': bits28.active_in_range(bits, -13, 1),
    'active_in_week_0': bits28.active_in_range(bits, -13, 7),
    'active_in_week_0_after_metric_date': bits28.active_in_range(bits, -12, 6),
    'active_in_week_1': bits28.active_in_range(bits, -6, 7)},
  'day_20': {
    'metric_date': last_date::DATE - 20,
    'active_on_metric_date': bits28.active_in_range(bits, -20, 1),
    'active_in_week_0': bits28.active_in_range(bits, -20, 7),
    'active_in_week_0_after_metric_date': bits28.active_in_range(bits, -19, 6),
    'active_in_week_1': bits28.active_in_range(bits, -13, 7),
    'active_in_week_2': bits28.active_in_range(bits, -6, 7)},
  'day_27': {
    'metric_date': last_date::DATE - 27,
    'active_on_metric_date': bits28.active_in_range(bits, -27, 1),
    'active_in_week_0': bits28.active_in_range(bits, -27, 7),
    'active_in_week_0_after_metric_date': bits28.active_in_range(bits, -26, 6),
    'active_in_week_1': bits28.active_in_range(bits, -20, 7),
    'active_in_week_2': bits28.active_in_range(bits, -13, 7),
    'active_in_week_3': bits28.active_in_range(bits, -6, 7)}};
