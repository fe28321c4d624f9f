"""The rows of the table, in its order; each module has NAME, TITLE, estimate(options) in seconds, measure(bench)."""
from rows import analysis, batches, builds, drain, duplicates, growth, ids, node, nodes, seen, settled, sight, single, sqlite, watch

ALL = [single, sqlite, batches, drain, settled, seen, duplicates, sight, ids, growth, analysis, node]
ON_DEMAND = [builds, watch, nodes]
