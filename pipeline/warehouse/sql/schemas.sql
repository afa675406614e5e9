-- Purpose: the three layers of the warehouse, from what never leaves to what everyone may read.
CREATE SCHEMA microdata;   -- harmonised answers of every unit: they never leave
CREATE SCHEMA statistics;  -- estimates as computed, unrounded and unsuppressed: for analysts inside the house
CREATE SCHEMA published;   -- every table as the data packages hold it, hidden cells blank
