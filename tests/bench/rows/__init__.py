"""The rows of the table, in its order; each module has NAME, TITLE, estimate(options) in seconds, measure(bench)."""
from rows import analysis, batches, builds, drain, duplicates, growth, ids, node, nodes, settled, sight, single, sqlite, watch

ALL = [single, sqlite, batches, drain, settled, duplicates, sight, ids, growth, analysis, node]
ON_DEMAND = [builds, watch, nodes]
