-- Purpose: every reason why a row of a raw file was left out of its wave.
INSERT INTO microdata.quarantine BY NAME
FROM read_parquet(getvariable('files'), union_by_name = true);
