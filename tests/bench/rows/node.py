"""A node that has nothing to do: how soon it is ready, what it holds in memory, how large the binary is."""
import os
import shutil
import time

from figures import Figure, Result
from load import fill

NAME = "node"
TITLE = "Start, memory, size"
IDLE_SECONDS = 10
TIPS = 200_000


def estimate(options):
    return options.runs * (IDLE_SECONDS + 4) + 25


def with_tips(bench):
    """The data directory of a node that settled some tips."""
    node = bench.sqlite_node()
    fill(node, TIPS, rooms=100, viewers=5_000)
    with bench.lock.held():
        node.wait_settled()
        node.stop()
        node.audit()
    return node.directory


def measure(bench):
    start = Figure("node start to ready, embedded, empty", "s", below=1)
    mariadb = Figure("node start to ready, MariaDB, empty", "s", below=3)
    memory = Figure(f"memory of an idle node with all roles, {IDLE_SECONDS} s after its start", "MiB", below=60)
    size = Figure("binary size", "MiB")
    size.add(os.path.getsize(bench.tipflow) / 2**20)
    later = Figure(f"node start to ready, embedded, with {TIPS:,} tips, 100 rooms", "s", ceiling_what="empty")
    held = Figure(f"memory of that node, {IDLE_SECONDS} s after its start", "MiB", ceiling_what="empty")
    old = with_tips(bench)
    for _ in bench.runs():
        with bench.lock.held():
            fresh = bench.node(bench.pair(NAME))
            mariadb.add(fresh.start_seconds)
            fresh.discard()
            node = bench.sqlite_node()
            start.add(node.start_seconds)
            again = bench.sqlite_node(old)
            later.add(again.start_seconds, node.start_seconds)
        time.sleep(IDLE_SECONDS)
        memory.add(node.memory_mib())
        held.add(again.memory_mib(), memory.runs[-1])
        again.stop()
        node.discard()
    shutil.rmtree(old)
    return Result(NAME, TITLE, [start, mariadb, memory, size], [later, held],
                  remarks=["An empty start makes and migrates both databases, and makes the first operator."])
