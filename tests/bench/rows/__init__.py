"""The rows of the table, in its order; each module has NAME, TITLE, estimate(options) in seconds, measure(bench)."""
from rows import batches, builds, drain, duplicates, growth, ids, node, settled, sight, single, sqlite

ALL = [single, sqlite, batches, drain, settled, duplicates, sight, ids, growth, node]
ON_DEMAND = [builds]
