"""Tips, one request each, on MariaDB with everything on: rate, and latency at 70 % of it."""
from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from functions import functions_of
from load import ROOMS, VIEWERS, empty_handler, insert_loop, node_load

NAME = "single"
TITLE = "Tips, one request each, MariaDB, whole pipeline"
PART = 0.7


def estimate(options):
    return options.runs * (6 * seconds_of_load(options) + 2 * seconds_of_load(options, 0.5)) + 30


def measure(bench):
    rates = {connections: Figure(f"tips, one request each, MariaDB, {connections} connections", "tips/s",
                                 at_least=25_000, ratio_at_least=0.35,
                                 ceiling_what=f"empty handler, {connections} connections")
             for connections in (64, 256)}
    plain = Figure("the same, against plain INSERTs", "tips/s", ratio_at_least=2.3,
                   ceiling_what="one plain INSERT each, 64 connections")
    late = Figure(f"p99 at {PART:.0%} of the rate, open loop, 256 connections", "ms", below=25)
    wide = Figure("tips, one request each, 64 connections: 10 times the rooms and viewers", "tips/s",
                  ceiling_what=f"{ROOMS} rooms, {VIEWERS} viewers")
    result = Result(NAME, TITLE, [rates[64], rates[256], plain, late], [wide])
    splits, threads, lags = [], [], []
    node = bench.node(bench.pair(NAME))
    for _ in bench.runs():
        with bench.lock.held():
            ceiling = empty_handler(bench, 64).rate
            first = node_load(node)
            lags.append(node.tips() - node.settled())
            rates[64].add(first.rate, ceiling, first.latency())
            plain.add(first.rate, insert_loop(bench, 64, 1))
            splits.append(first.split())
            threads.append(first.thread_split())
            node.wait_settled()
        with bench.lock.held():
            ceiling = empty_handler(bench, 256).rate
            second = node_load(node, connections=256)
            rates[256].add(second.rate, ceiling, second.latency())
            node.wait_settled()
            third = node_load(node, connections=256, rate=round(PART * second.rate))
            late.add(third.latency()["p99"], latency=third.latency())
            node.wait_settled()
        with bench.lock.held():
            again = node_load(node, seconds=bench.options.seconds / 2)
            many = node_load(node, seconds=bench.options.seconds / 2, rooms=10 * ROOMS, viewers=10 * VIEWERS)
            wide.add(many.rate, again.rate)
            node.wait_settled()
    with bench.lock.held():
        result.functions = functions_of(bench, node)
        tips = node.close()
    result.split, result.threads = median_of_splits(splits), median_of_splits(threads)
    result.remarks.append(f"{tips:,} tips in the books, all settled and audited; at the end of a closed loop with 64 "
                          f"connections at most {max(lags):,} were committed and not yet settled.")
    return result
