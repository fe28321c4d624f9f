"""How long a tip takes from accepted to settled at half load, as its journey tells."""
import http.client
import json

from context import seconds_of_load
from figures import Figure, Result, percentile, seconds_of
from load import empty_handler, insert_loop, node_load
from processes import BenchError

NAME = "settled"
TITLE = "Accepted to settled, MariaDB"
SAMPLE = 2_000


def estimate(options):
    return options.runs * (2 * seconds_of_load(options) + seconds_of_load(options, 0.5) + 12) + 10


def journey_ms(node, connection, token, trace_id):
    status, body = node.request("GET", f"/api/v1/tips/{trace_id}/journey", token=token, connection=connection)
    if status != 200:
        raise BenchError(f"the journey of {trace_id} was answered {status}: {body[:200]}")
    times = {step["step"]: step["at"] for step in json.loads(body)["steps"]}
    if not times.get("settled"):
        raise BenchError(f"tip {trace_id} is not settled")
    return 1_000 * (seconds_of(times["settled"]) - seconds_of(times["accepted"]))


def journeys(node, run):
    """Of a sample of the tips accepted in the run's window, in ms."""
    start, end = run.window
    every = max(1, int(run.tips) // SAMPLE) | 1  # odd: strides evenly through the numbers of any lane
    rows = node.pair.rows(1, f"SELECT LOWER(HEX(trace_id)) FROM tip WHERE accepted_at BETWEEN {int(start * 1e6)} AND "
                             f"{int(end * 1e6)} AND tip_id % {every} = 0 LIMIT {2 * SAMPLE}")
    token = node.operator_token()
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    try:
        return [journey_ms(node, connection, token, row[0]) for row in rows]
    finally:
        connection.close()


def one_commit_and_one_request(bench):
    """In ms, one at a time: what nothing that commits and answers can be faster than."""
    commit = 1_000 / insert_loop(bench, 1, 1, seconds=2)
    request = empty_handler(bench, 1, seconds=2).report["serviceTime"]["p50Ms"]
    return commit + request


def measure_part(node, rate, figure, ceiling):
    run = node_load(node, connections=256, rate=round(rate))
    node.wait_settled()
    took = journeys(node, run)
    latency = {"p50": percentile(took, 50), "p99": percentile(took, 99), "p999": percentile(took, 99.9)}
    figure.add(latency["p99"], ceiling, latency)


def measure(bench):
    half = Figure("accepted to settled, p99, at half load", "ms", below=250,
                  ceiling_what="one commit and one request, each alone")
    tenth = Figure("accepted to settled, p99, at a twentieth of the load", "ms",
                   ceiling_what="at half load")
    result = Result(NAME, TITLE, [half], [tenth])
    node = bench.node(bench.pair(NAME))
    for _ in bench.runs():
        with bench.lock.held():
            ceiling = one_commit_and_one_request(bench)
            highest = node_load(node, seconds=bench.options.seconds / 2).rate
            node.wait_settled()
            measure_part(node, highest / 2, half, ceiling)
        with bench.lock.held():
            measure_part(node, highest / 20, tenth, half.runs[-1])
    with bench.lock.held():
        tips = node.close()
    result.remarks.append(f"From the journeys of some {SAMPLE:,} tips of each run, spread over it; half of what a closed "
                          f"loop with 64 connections reached just before. {tips:,} tips in the books, audited.")
    return result
