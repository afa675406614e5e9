-- Purpose: one wide table of every unit of every microdata wave. A variable that a wave did not ask is NULL
-- there; replicate weights stay in the wave's own files.
INSERT INTO microdata.answers BY NAME
SELECT COLUMNS(lambda name: NOT regexp_matches(name, '^replicate_[0-9]+$'))
FROM read_parquet(getvariable('files'), union_by_name = true);
