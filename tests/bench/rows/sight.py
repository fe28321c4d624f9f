"""What signed requests, log lines, traces and the record store cost a tip, together."""
from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from load import node_load

NAME = "sight"
TITLE = "Signatures, logs, traces and their collection, MariaDB"
# No request line, no span, nothing to keep, no signature asked for.
BLIND = {"TIPFLOW_LOG_LEVEL": "warn", "TIPFLOW_TRACE_PER_SECOND": "0", "TIPFLOW_REQUIRE_SIGNATURE": "false"}


def estimate(options):
    return options.runs * 2 * (seconds_of_load(options) + 1) + 10


def measure(bench):
    rate = Figure("tips with signatures, log lines, traces, record store", "tips/s", ratio_at_least=0.8,
                  ceiling_what="the same with none of them, 64 connections")
    result = Result(NAME, TITLE, [rate], [])
    splits = []
    seeing, blind = bench.node(bench.pair(NAME)), bench.node(bench.pair("blind"), settings=BLIND)
    for _ in bench.runs():
        with bench.lock.held():
            without = node_load(blind, no_sign=True)
            blind.wait_settled()
            run = node_load(seeing)
            rate.add(run.rate, without.rate, run.latency())
            splits.append(run.split())
            seeing.wait_settled()
    with bench.lock.held():
        blind.close()
        held = seeing.close()
    result.split = median_of_splits(splits)
    result.remarks.append(f"The record store is the node's own, on the same processors. {held:,} tips in the books, audited.")
    return result
