-- Helpers that carry a 28-day pattern from one day to the next. 268435455 is
-- twenty-eight ones, 134217727 twenty-seven.

-- Masked before the shift: a BIGINT shift that overflows is an error in DuckDB.
CREATE OR REPLACE MACRO udf.shift_28_bits_one_day(bits) AS
  coalesce((bits::BIGINT & 134217727) << 1, 0);

CREATE OR REPLACE MACRO udf.shift_one_day(bits) AS
  coalesce((bits::BIGINT & 134217727) << 1, 0);

CREATE OR REPLACE MACRO udf.combine_adjacent_days_28_bits(previous, current) AS
  coalesce((previous::BIGINT & 134217727) << 1, 0) | coalesce(current::BIGINT, 0);

CREATE OR REPLACE MACRO udf.coalesce_adjacent_days_28_bits(previous, current) AS
  coalesce(nullif((previous::BIGINT & 134217727) << 1, 0), current::BIGINT, 0);

CREATE OR REPLACE MACRO udf.days_since_created_profile_as_28_bits(days) AS
  CASE WHEN days BETWEEN 0 AND 6 THEN 1::BIGINT << days::INTEGER ELSE 0 END;

CREATE OR REPLACE MACRO udf.active_n_weeks_ago(bits, n) AS
  ((bits::BIGINT >> (7 * n)::INTEGER) & 127) != 0;

CREATE OR REPLACE MACRO udf.bitcount_lowest_7(bits) AS
  bit_count(bits::BIGINT & 127)::BIGINT;

-- start_ordinal counts from 1. Bits 1 to 63 of a BIGINT can be asked for.
CREATE OR REPLACE MACRO udf.bitmask_range(start_ordinal, length) AS
  (9223372036854775807 >> (63 - length)::INTEGER) << (start_ordinal - 1)::INTEGER;

CREATE OR REPLACE MACRO udf.pos_of_trailing_set_bit(bits) AS
  CASE
    WHEN bits::BIGINT = 0 THEN NULL
    WHEN bits::BIGINT = -9223372036854775807 - 1 THEN 63
    ELSE bit_count((bits::BIGINT & -(bits::BIGINT)) - 1)::BIGINT
  END;

CREATE OR REPLACE MACRO udf.pos_of_leading_set_bit(bits) AS
  64 - nullif(strpos(bits::BIGINT::BIT::VARCHAR, '1'), 0);
