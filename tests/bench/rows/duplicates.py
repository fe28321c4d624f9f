"""Every request sent twice with the same traceId, beside every request sent once."""
from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from load import node_load

NAME = "duplicates"
TITLE = "Every request sent twice, MariaDB"


def estimate(options):
    return options.runs * (3 * seconds_of_load(options) + 1) + 10


def measure(bench):
    sendings = Figure("every request sent twice: requests acknowledged", "requests/s", ratio_at_least=0.6,
                      ceiling_what="the same without repeats, 64 connections")
    tips = Figure("every request sent twice: tips written", "tips/s", ceiling_what="the same without repeats, 64 connections")
    some = Figure("a tenth of the requests sent twice: requests acknowledged", "requests/s",
                  ceiling_what="the same without repeats, 64 connections")
    result = Result(NAME, TITLE, [sendings, tips], [some])
    splits = []
    node = bench.node(bench.pair(NAME))
    for _ in bench.runs():
        with bench.lock.held():
            once = node_load(node)
            node.wait_settled()
            twice = node_load(node, duplicates=1)
            sendings.add(twice.sendings, once.rate, twice.latency())
            tips.add(twice.rate, once.rate)
            splits.append(twice.split())
            node.wait_settled()
            tenth = node_load(node, duplicates=0.1)
            some.add(tenth.sendings, once.rate)
            node.wait_settled()
    with bench.lock.held():
        held = node.close()
    result.split = median_of_splits(splits)
    result.remarks.append(f"The second sending follows at once on another connection, so it may overtake the first. "
                          f"{held:,} tips in the books, audited.")
    return result
