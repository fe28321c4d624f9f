"""Tips, one request each, on the embedded databases."""
from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from load import ROOMS, VIEWERS, empty_handler, node_load

NAME = "sqlite"
TITLE = "Tips, one request each, embedded (SQLite)"


def estimate(options):
    return options.runs * (3 * seconds_of_load(options) + 1) + 10


def measure(bench):
    rate = Figure("tips, one request each, embedded SQLite, 64 connections", "tips/s", at_least=25_000,
                  ratio_at_least=0.35, ceiling_what="empty handler, 64 connections")
    wide = Figure("embedded SQLite: 10 times the rooms and viewers", "tips/s",
                  ceiling_what=f"{ROOMS} rooms, {VIEWERS} viewers")
    result = Result(NAME, TITLE, [rate], [wide])
    splits, threads = [], []
    node = bench.sqlite_node()
    for _ in bench.runs():
        with bench.lock.held():
            ceiling = empty_handler(bench, 64).rate
            run = node_load(node)
            rate.add(run.rate, ceiling, run.latency())
            splits.append(run.split())
            threads.append(run.thread_split())
            node.wait_settled()
            many = node_load(node, rooms=10 * ROOMS, viewers=10 * VIEWERS)
            wide.add(many.rate, run.rate)
            node.wait_settled()
    with bench.lock.held():
        tips = node.close()
    result.split, result.threads = median_of_splits(splits), median_of_splits(threads)
    result.remarks.append(f"{tips:,} tips in the books, all settled and audited.")
    return result
