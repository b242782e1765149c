SELECT * FROM (VALUES
  (1, true, 1::TINYINT, 170141183460469231731687303715884105727::HUGEINT, 1.10::DECIMAL(5, 2), 1.0::DOUBLE, 0.1::FLOAT),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (-2, false, -128, -1, -0.05, 1e300, -1e-7))
AS v("int", "bool", "tiny", "huge", "dec", "dbl", "flt");

SELECT 'a"b,c''d' AS quotes, '' AS empty, ' lead' AS blank, 'é日本' AS wide, 'a|b;c' AS marks, '\xAA\x00a'::BLOB AS bytes,
  '10101'::BIT AS bits, 'x'::ENUM('x', 'Y z') AS enum, 'b0e7ef8c-1d5c-4c3a-9b0a-7a3e1f5f2d11'::UUID AS uuid;

SELECT DATE '2026-11-20' AS day, TIME '01:02:03.5' AS clock, TIMESTAMP '2026-11-20 01:02:03.123456' AS ts,
  TIMESTAMPTZ '2026-11-20 01:02:03+02' AS tz, INTERVAL '14 months 2 days -03:04:05.5' AS span, 'infinity'::TIMESTAMP AS never, DATE '0044-03-15 (BC)' AS ides;

SELECT [1, NULL, 3] AS list, ['a', 'b, c', NULL, 'NULL', ''] AS texts, {'a': 1, 'b c': 'x''y', 'd': NULL} AS struct, MAP {'k': 1, 'k 2': NULL} AS map,
  '{"a": [1, 2.50], "z": null}'::JSON AS json, union_value(k := 5) AS "union", [1, 2]::INTEGER[2] AS arr,
  [{'a': MAP {'x': [DATE '2026-01-01']}}] AS deep;

SELECT 1 AS a, 2 AS a, 'x' WHERE false;

SELECT i, 'v' || i AS s, 'third' AS t FROM range(12) AS r(i) ORDER BY i DESC;
