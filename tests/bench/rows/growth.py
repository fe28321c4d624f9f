"""What a tip costs when the tables hold many times as many: CPU time of all processes a tip."""
from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from load import fill, node_load

NAME = "growth"
TITLE = "Cost of a tip as the tables grow, MariaDB"


def sizes(options):
    return options.size((1_000_000, 20_000_000), (100_000, 2_000_000))


def estimate(options):
    small, large = sizes(options)
    return large / 35_000 + options.runs * (small / 35_000 + 2 * seconds_of_load(options) + 8) + 20


def measure_cost(node):
    with node.bench.lock.held():
        before = node.tips()
        run = node_load(node)
        node.wait_settled()
    return run, before


def measure(bench):
    small, large = sizes(bench.options)
    cost = Figure(f"CPU time of a tip with {large:,} tips in the tables", "µs", ratio_at_most=1.2,
                  ceiling_what=f"with {small:,}")
    rate = Figure(f"tips, one request each, with {large:,} tips in the tables", "tips/s", ceiling_what=f"with {small:,}")
    result = Result(NAME, TITLE, [cost, rate])
    splits = {small: [], large: []}
    sizes_seen = []
    many = bench.node(bench.pair("growth_large"))
    fill(many, large)
    many.wait_settled()
    for _ in bench.runs():
        few = bench.node(bench.pair("growth_small"))
        fill(few, small)
        few.wait_settled()
        base, before = measure_cost(few)
        grown, large_before = measure_cost(many)
        sizes_seen.append((before, before + base.created, large_before, large_before + grown.created))
        cost.add(grown.cost_us(), base.cost_us())
        rate.add(grown.rate, base.rate)
        splits[small].append(base.split())
        splits[large].append(grown.split())
        with bench.lock.held():
            few.close()
    with bench.lock.held():
        many.close()
    for size in (small, large):
        parts = ", ".join(f"{name} {used:.1f}" for name, used in median_of_splits(splits[size]).items())
        result.remarks.append(f"µs a tip with {size:,}: {parts}.")
    low, high, large_low, large_high = sizes_seen[-1]
    result.remarks.append(f"The runs themselves add tips: the last pair went from {low:,} to {high:,} and from "
                          f"{large_low:,} to {large_high:,}. All audited.")
    return result
