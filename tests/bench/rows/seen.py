"""How long a tip takes from its sending until viewers of its room have read it, on two nodes with the role room, at half load."""
import json
import secrets

from context import seconds_of_load
from figures import Figure, Result
from load import node_load
from processes import BenchError, tail
from servers import start_redis

NAME = "seen"
TITLE = "Accepted to seen in the room, two nodes, MariaDB"
ROOMS = 100
# A tip is read by a sixteenth of them, by Zipf: few enough that reading leaves half of the processors to the nodes.
VIEWERS = 100


def estimate(options):
    return options.runs * (2 * seconds_of_load(options) + 15) + 20


def watched(bench, number, nodes, rate):
    name = f"{bench.directory}/seen-{number}"
    command = [bench.tipflow, "load", "watch", "--quiet", "--json", f"{name}.json", "--viewers", VIEWERS, "--rooms", ROOMS,
               "--rate", round(rate), "--seconds", bench.options.seconds]
    for node in nodes:
        command += ["--url", node.url, "--pid", node.process.pid]
    process = bench.processes.start(command, f"{name}.out")
    # Its exit code says whether everybody saw every tip of its room once, and the sum that was acknowledged.
    if code := bench.processes.finish(process, 600):
        raise BenchError(f"the viewers ended with {code}:\n{tail(f'{name}.out', 40)}")
    with open(f"{name}.json", encoding="utf-8") as file:
        return json.load(file)


def measure(bench):
    figure = Figure("accepted to seen by a viewer, p99, at half load", "ms", below=500)
    redis, port = start_redis(bench)
    settings = {"TIPFLOW_LIMITS_EXEMPT": "127.0.0.0/8", "TIPFLOW_TOKEN_KEY": secrets.token_hex(32),
                "TIPFLOW_CLUSTER_KEY": secrets.token_hex(32), "TIPFLOW_DATA_KEYS": f"k1:{secrets.token_hex(32)}",
                "TIPFLOW_REDIS_URL": f"redis://127.0.0.1:{port}"}
    pair = bench.pair(NAME)
    first = bench.node(pair, settings=settings)
    second = bench.node(pair, roles="anchor,room", settings=settings)
    sightings, rates = 0, []
    for number in bench.runs():
        with bench.lock.held():
            half = node_load(first, seconds=bench.options.seconds / 2).rate / 2
            first.wait_settled()
            run = watched(bench, number, [first, second], half)
            first.wait_settled()
        figure.add(run["seen"]["p99Ms"], latency={name: run["seen"][f"{name}Ms"] for name in ("p50", "p99", "p999")})
        rates.append(half)
        sightings += run["seen"]["count"]
    second.stop()
    tips = first.close()
    bench.processes.stop(redis)
    result = Result(NAME, TITLE, [figure], [])
    result.remarks.append(f"{VIEWERS} viewers in {ROOMS} rooms, half of them on each node, {min(rates):,.0f} to {max(rates):,.0f} tips a second to "
                          f"one of them: half of what a closed loop reached just before. The tick is 200 ms. {sightings:,} sightings, each "
                          f"tip once by everybody in its room, with the sums that were acknowledged; {tips:,} tips in the books, audited.")
    return result
