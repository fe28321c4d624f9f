"""Tips in batches of 1,000 by an operator, against multi-row INSERTs."""
from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from load import insert_loop, node_load

NAME = "batches"
TITLE = "Tips in batches of 1,000, MariaDB"


def estimate(options):
    return options.runs * (2 * seconds_of_load(options) + seconds_of_load(options, 0.5) + 6) + 20


def measure(bench):
    rate = Figure("tips in batches of 1,000, 4 connections", "tips/s", at_least=120_000,
                  ceiling_what="INSERT of 1,000 rows, 2 connections")
    small = Figure("tips in batches of 100, 4 connections", "tips/s", ceiling_what="batches of 1,000")
    result = Result(NAME, TITLE, [rate], [small])
    splits, threads, lags = [], [], []
    node = bench.node(bench.pair(NAME))
    for _ in bench.runs():
        with bench.lock.held():
            ceiling = insert_loop(bench, 2, 1_000)
            run = node_load(node, batch=1_000, connections=4)
            lags.append(node.tips() - node.settled())
            rate.add(run.rate, ceiling, run.latency())
            splits.append(run.split())
            threads.append(run.thread_split())
            node.wait_settled()
            tenth = node_load(node, batch=100, connections=4, seconds=bench.options.seconds / 2)
            small.add(tenth.rate, run.rate)
            node.wait_settled()
    with bench.lock.held():
        tips = node.close()
    result.split, result.threads = median_of_splits(splits), median_of_splits(threads)
    result.remarks.append(f"{tips:,} tips in the books, all settled and audited; at the end of a run at most "
                          f"{max(lags):,} were committed and not yet settled. Latencies are of whole batches.")
    return result
