"""Viewers who watch live rooms over WebSocket, both ends on this machine: memory, how soon a tip is seen, deliveries."""
import json
import resource
import secrets

from figures import Figure, Result
from functions import functions_of_sample, sample
from processes import BenchError, say, tail, wait_for
from servers import start_redis

NAME = "watch"
TITLE = "Connected viewers in live rooms"
LADDER = [10_000, 50_000, 100_000, 300_000, 1_000_000]
ROOMS = 100
FILES_BESIDE = 1_000  # of a node: databases, logs, other requests
OPEN_PER_SECOND = 4_000
SECONDS = 30  # of timed tips
BURST_SECONDS = 20
TIMED_DELIVERIES = 20_000  # a second: each frame goes out alone, what is timed is one tip's way to its room
BURST_DELIVERIES = 300_000  # more than gets through
COUNTS_PER_SECOND = 5_000  # of all nodes, as one has it by default: how many come and go, told to that many viewers
PING_SECONDS = 240  # at a million viewers the default of 45 would cost as much as the tips


def estimate(options):
    return sum(60 + viewers / OPEN_PER_SECOND * 2 + SECONDS + BURST_SECONDS for viewers in steps(options))


def steps(options):
    return options.size(LADDER, LADDER[:2])


def tips_per_second(viewers, deliveries):
    """That so many deliveries a second come of: by Zipf, a tip meets the square mean of the rooms."""
    shares = [1 / place for place in range(1, ROOMS + 1)]
    whole = sum(shares)
    seen_by = viewers * sum((share / whole) ** 2 for share in shares)
    return min(400.0, deliveries / seen_by)


def nodes_of(bench, viewers):
    """As many nodes as their descriptor limit asks for; the first has all roles."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    most = files - FILES_BESIDE
    count = -(-viewers // most)
    settings = {"TIPFLOW_LIMITS_EXEMPT": "127.0.0.0/8", "TIPFLOW_TOKEN_KEY": secrets.token_hex(32),
                "TIPFLOW_CLUSTER_KEY": secrets.token_hex(32), "TIPFLOW_DATA_KEYS": f"k1:{secrets.token_hex(32)}",
                "TIPFLOW_ROOM_COUNT_DELIVERIES": str(COUNTS_PER_SECOND // count), "TIPFLOW_ROOM_PING_SECONDS": str(PING_SECONDS),
                "TIPFLOW_ROOM_ADMIT_PER_SECOND": str(2 * OPEN_PER_SECOND), "TIPFLOW_ROOM_MAX_CONNECTIONS": str(most)}
    others = []
    if count > 1:
        process, port = start_redis(bench)
        others.append(process)
        settings["TIPFLOW_REDIS_URL"] = f"redis://127.0.0.1:{port}"
    pair = bench.pair(NAME)
    first = bench.node(pair, settings=settings)
    rest = [bench.node(pair, roles="anchor,room", settings=settings) for _ in range(count - 1)]
    return first, rest, others


def watch(bench, first, rest, viewers):
    """What the viewers' side measured, and the functions of the first node meanwhile that took most of the time."""
    name = f"{bench.directory}/watch-{viewers}"
    command = [bench.tipflow, "load", "watch", "--quiet", "--json", f"{name}.json", "--viewers", viewers, "--rooms", ROOMS,
               "--open-rate", OPEN_PER_SECOND, "--open-seconds", 60 + viewers / OPEN_PER_SECOND * 3,
               "--rate", f"{tips_per_second(viewers, TIMED_DELIVERIES):.3f}", "--seconds", SECONDS,
               "--burst-rate", f"{tips_per_second(viewers, BURST_DELIVERIES):.2f}", "--burst-seconds", BURST_SECONDS, "--settle", 60]
    for node in [first, *rest]:
        command += ["--url", node.url, "--pid", node.process.pid]
    process = bench.processes.start(command, f"{name}.out")
    wait_for(lambda: process.poll() is not None or first.settled() > 0, 1_800, "the first tip", every=2)
    wait_for(lambda: process.poll() is not None or first.settled() > tips_per_second(viewers, TIMED_DELIVERIES) * (SECONDS + 5), 300,
             "the burst", every=2)
    record = sample(bench, first.pids().values()) if process.poll() is None else None
    code = bench.processes.finish(process, 1_800)
    if code:
        raise BenchError(f"{viewers:,} viewers ended with {code}:\n{tail(f'{name}.out', 40)}")
    with open(f"{name}.json", encoding="utf-8") as file:
        return json.load(file), functions_of_sample(record)


def measure(bench):
    figures, remarks, functions = [], [], []
    for viewers in steps(bench.options):
        first, rest, others = nodes_of(bench, viewers)
        say(f"    {viewers:,} viewers on {1 + len(rest)} nodes")
        try:
            with bench.lock.held():
                run, functions = watch(bench, first, rest, viewers)
        except BenchError as error:
            if not figures:
                raise
            # The steps before it stand; what ended here is part of the result.
            remarks.append(f"{viewers:,} were not held: {error}")
            break
        what = f"{viewers:,} viewers in {ROOMS} rooms"
        memory = Figure(f"{what}: memory of the nodes, each viewer", "KiB", below=9 if viewers >= 300_000 else None)
        memory.add(run["servers"]["memoryPerViewerKiB"])
        seen = Figure(f"{what}: a tip seen by all of its room, p99", "ms", below=1_000 if viewers == 300_000 else None)
        seen.add(run["seenByAll"]["p99Ms"], latency={name: run["seen"][f"{name}Ms"] for name in ("p50", "p99", "p999")})
        deliveries = Figure(f"{what}: deliveries, receivers included", "/s", at_least=150_000 if viewers == 300_000 else None)
        deliveries.add(run["burst"]["deliveriesPerSecond"])
        figures += [memory, seen, deliveries]
        remarks.append(f"{viewers:,}: {1 + len(rest)} nodes and {run['processes']} processes of viewers, opened in "
                       f"{run['viewers']['openSeconds']:.0f} s; {run['tips']['acknowledged']} tips, "
                       f"{run['traffic']['deliveries']:,} deliveries timed and {run['burst']['deliveries']:,} in the burst, at most "
                       f"{run['burst']['mostDeliveriesInASecond']:,} in a second and {run['burst']['framesPerSecond']:,.0f} frames; "
                       f"{run['servers']['tippingCpuSeconds']:.1f} s of processor time in the nodes while tips were given, "
                       f"{run['generatorCpuSeconds']:.1f} s in the viewers from beginning to end.")
        for node in rest:
            node.stop()
        first.close()
        for process in others:
            bench.processes.stop(process)
    remarks.append("In every step that was held each viewer saw every tip of its room once, and the sum that was acknowledged. Rooms are sized by Zipf's law. "
                   "`latency` is of each viewer's sight of each tip.")
    result = Result(NAME, TITLE, figures, [], remarks=remarks)
    result.functions = functions
    return result
