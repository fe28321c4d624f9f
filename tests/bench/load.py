"""One run of `tipflow load`, or of a ceiling, with who used the processors meanwhile."""
import dataclasses
import itertools
import json

from figures import seconds_of
from processes import BenchError, free_port, say, tail, wait_for
from report import number
from servers import PASSWORD
from usage import Sampler

WARMUP = 1.5
ROOMS, VIEWERS = 10, 500
COUNTER = itertools.count()


@dataclasses.dataclass
class LoadRun:
    report: dict  # as `tipflow load --json` writes it
    usage: object

    @property
    def rate(self):
        """Tips acknowledged a second, second sendings left out."""
        return self.report["throughput"]["perSecond"]

    @property
    def sendings(self):
        """The same with second sendings."""
        return self.report["throughput"]["withRepeatsPerSecond"]

    @property
    def tips(self):
        return self.report["throughput"]["tips"]

    @property
    def created(self):
        return self.report["totals"]["created"]

    @property
    def window(self):
        """From the end of the warm-up to the end of the schedule, in seconds since 1970."""
        start = seconds_of(self.report["startedAt"]) + self.report["settings"]["warmupSeconds"]
        return start, start + self.report["throughput"]["seconds"]

    def latency(self):
        """From the intended start in an open loop, from the first sending in a closed one."""
        return {name: self.report["latency"][f"{name}Ms"] for name in ("p50", "p99", "p999")}

    def split(self):
        return self.usage.split(self.tips)

    def thread_split(self):
        return {name: 1e6 * used / max(1, self.tips) for name, used in self.usage.threads.items()}

    def cost_us(self):
        """CPU time of all our processes a tip."""
        return 1e6 * self.usage.total() / max(1, self.tips)


def run_load(bench, url, pids, seconds=None, connections=64, verify="sums", **options):
    """`options` are those of `tipflow load`, with _ for -. Fails when it does: lost tips are no figure."""
    name = f"{bench.directory}/load-{next(COUNTER)}"
    arguments = {"rate": 0, "warmup": WARMUP, "rooms": ROOMS, "viewers": VIEWERS, "registered-most": 5,
                 "threads": bench.options.threads, **{key.replace("_", "-"): value for key, value in options.items()}}
    if "tips" not in options:
        arguments["seconds"] = seconds or bench.options.seconds
    command = [bench.tipflow, "load", "--quiet", "--url", url, "--connections", connections, "--verify", verify,
               "--json", f"{name}.json"]
    for key, value in arguments.items():
        command += [f"--{key}"] if value is True else [f"--{key}", value]
    process = bench.processes.start(command, f"{name}.out", {"TIPFLOW_ADMIN_PASSWORD": PASSWORD})
    with Sampler({**pids, "load generator": process.pid}) as sampler:
        code = bench.processes.finish(process, 1_200)
    if code:
        raise BenchError(f"the load ended with {code}:\n{tail(f'{name}.out', 40)}")
    with open(f"{name}.json", encoding="utf-8") as file:
        run = LoadRun(json.load(file), None)
    run.usage = sampler.usage(*run.window)
    bench.others.append(run.usage.others())
    told = {"connections": connections, **options}
    tell(run, " ".join(f"--{key.replace('_', '-')} {value}" for key, value in told.items()))
    return run


def tell(run, options):
    latency = run.latency()
    say(f"      {number(run.sendings)}/s, p50 {number(latency['p50'])} p99 {number(latency['p99'])} ms, others' part of the "
        f"processors {run.usage.others():.0%} ({options})")


def node_load(node, **options):
    return run_load(node.bench, node.url, node.pids(), **options)


def empty_handler(bench, connections, **options):
    """The same server, answering the same body from an empty handler, under the same load."""
    port = free_port()
    process = bench.processes.start([bench.ceilings, "empty-handler", port, bench.cores], f"{bench.directory}/empty.out")

    def ready():
        if process.poll() is not None:
            raise BenchError(f"the empty handler ended:\n{tail(process.log)}")
        return bench.answers(port)

    wait_for(ready, 20, "the empty handler's start")
    try:
        return run_load(bench, f"http://127.0.0.1:{port}", {"node": process.pid}, connections=connections,
                        verify="none", **options)
    finally:
        bench.processes.stop(process)


def insert_loop(bench, connections, rows, seconds=None, random_ids=False):
    """Rows a second of plain INSERTs of so many rows each."""
    log = f"{bench.directory}/insert-{next(COUNTER)}.out"
    if not bench.mariadb.query("", "SHOW DATABASES LIKE 'ceiling'"):
        bench.mariadb.query("", "CREATE DATABASE ceiling")
    bench.processes.run(
        [bench.ceilings, "insert-loop", bench.mariadb.url("ceiling"), connections, rows,
         max(1, round(seconds or bench.options.seconds)), *(["random"] if random_ids else [])], log, 300)
    with open(log, encoding="utf-8") as file:
        rate = float(file.read())
    say(f"      {number(rate)}/s, INSERT of {rows} rows, {connections} connections{', random ids' if random_ids else ''}")
    return rate


def fill(node, tips, **options):
    """Writes so many tips through the batch route, a million at a time: the lock is not held for long."""
    for start in range(0, tips, 1_000_000):
        with node.bench.lock.held():
            node_load(node, verify="none", batch=1_000, connections=4, warmup=0, tips=min(1_000_000, tips - start),
                      **options)
