"""Synchronisation and settlement of a backlog that came up while finance was away."""
import time

from figures import Figure, Result, median_of_splits
from load import fill, insert_loop
from processes import wait_for
from usage import Sampler

NAME = "drain"
TITLE = "Synchronisation and settlement of a backlog, MariaDB"


def estimate(options):
    tips = options.size(5_000_000, 1_000_000)
    return options.runs * (1.1 * (tips / 70_000 + tips / 120_000) + options.seconds + 10)


def drain(bench, tips):
    """(tips a second until settled, CPU time a tip by process, by thread)."""
    pair = bench.pair(NAME)
    away = bench.node(pair, roles="anchor,audience,console")
    fill(away, tips)
    away.stop()
    with bench.lock.held():
        node = bench.node(pair)
        with Sampler(node.pids()) as sampler:
            wait_for(lambda: node.settled() >= tips, 600, f"the settlement of {tips:,} tips", every=0.2)
            time.sleep(0.5)  # a sample beyond the end
        # By the database's own record, so that neither the start nor the polling counts.
        first, last = pair.rows(2, "SELECT MIN(pushed_at), MAX(settled_at) FROM ledger_batch")[0]
        start, end = int(first) / 1e6, int(last) / 1e6
        usage = sampler.usage(start, end)
        node.close()
    return tips / (end - start), usage.split(tips), {name: 1e6 * used / tips for name, used in usage.threads.items()}


def measure(bench):
    tips = bench.options.size(5_000_000, 1_000_000)
    rate = Figure(f"settlement of a backlog of {tips:,} tips", "tips/s", at_least=80_000,
                  ceiling_what="INSERT of 1,000 rows, 2 connections")
    small = Figure(f"settlement of a backlog of {tips // 10:,} tips", "tips/s", ceiling_what=f"{tips:,} tips")
    result = Result(NAME, TITLE, [rate], [small])
    splits, threads = [], []
    for _ in bench.runs():
        with bench.lock.held():
            ceiling = insert_loop(bench, 2, 1_000)
        settled, split, thread_split = drain(bench, tips)
        rate.add(settled, ceiling)
        splits.append(split)
        threads.append(thread_split)
        small.add(drain(bench, tips // 10)[0], settled)
    result.split, result.threads = median_of_splits(splits), median_of_splits(threads)
    result.remarks.append("From the first push to the last settlement, both as the ledger recorded them. "
                          "The tips were written by a node without finance; each backlog was audited when it was settled.")
    return result
