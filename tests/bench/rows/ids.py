"""Random trace ids beside time-ordered ones: what the unique index costs."""
from context import seconds_of_load
from figures import Figure, Result
from load import insert_loop, node_load

NAME = "ids"
TITLE = "Random trace ids beside time-ordered ones, MariaDB"


def estimate(options):
    return options.runs * (options.seconds + 4 * seconds_of_load(options, 0.5) + 5) + 15


def measure(bench):
    rows = Figure("INSERT of 100 rows, 2 connections, random ids", "rows/s", ceiling_what="time-ordered ids")
    tips = Figure("tips, one request each, random ids, 64 connections", "tips/s", ceiling_what="time-ordered ids")
    batches = Figure("tips in batches of 1,000, random ids", "tips/s", ceiling_what="time-ordered ids")
    seconds = bench.options.seconds / 2
    node = bench.node(bench.pair(NAME))
    for _ in bench.runs():
        with bench.lock.held():
            ordered = insert_loop(bench, 2, 100, seconds=seconds)
            rows.add(insert_loop(bench, 2, 100, seconds=seconds, random_ids=True), ordered)
        for figure, options in ((tips, {}), (batches, {"batch": 1_000, "connections": 4})):
            options["seconds"] = seconds
            with bench.lock.held():
                ordered = node_load(node, **options).rate
                node.wait_settled()
                run = node_load(node, trace_ids="random", **options)
                figure.add(run.rate, ordered)
                node.wait_settled()
    with bench.lock.held():
        held = node.close()
    return Result(NAME, TITLE, [rows, tips, batches], remarks=[f"{held:,} tips in the books, audited."])
