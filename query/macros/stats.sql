-- The most frequent value that is not null; of equally frequent ones the value
-- that appears last. The list is in the order that decides: array_agg(x ORDER BY t).
CREATE OR REPLACE MACRO stats.mode_last(list) AS
  list_max(list_transform(
    list_distinct(list_filter(list, lambda v: v IS NOT NULL)),
    lambda v: {
      'count': len(list_filter(list, lambda w: w = v)),
      'last': len(list) - list_position(list_reverse(list), v),
      'value': v})).value;
