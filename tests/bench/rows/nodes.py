"""One and two nodes of audience behind the edge, the other roles on a node of their own: what a tip costs, and how many there are."""
import os
import pathlib
import secrets
import shutil

from context import seconds_of_load
from figures import Figure, Result, median_of_splits
from load import run_load
from processes import BenchError, free_port, tail, wait_for
from servers import start_redis

NAME = "nodes"
TITLE = "One and two nodes of audience behind the edge, MariaDB"
OTHER_ROLES = "anchor,finance,analysis,room,console"
CONNECTIONS = 64
PART = 0.5  # of the highest rate with one node: there the cost of a tip is measured
# What two nodes need to be faster than one: processors for both, for the database, for the edge and for the load.
CORES_TO_SCALE = 8


def estimate(options):
    return options.runs * (4 * seconds_of_load(options) + 12) + 30


def consul_program():
    cache = os.environ.get("TIPFLOW_CACHE_DIR") or f"{os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'}/tipflow"
    program = shutil.which("consul") or shutil.which("consul", path=f"{cache}/consul/usr/bin")
    if program is None:
        raise BenchError("Consul is not there: ./dev bench nodes fetches it")
    return program


def start_consul(bench):
    port = free_port()
    process = bench.processes.start(
        [consul_program(), "agent", "-dev", "-node=bench", "-bind=127.0.0.1", "-client=127.0.0.1", f"-http-port={port}",
         f"-server-port={free_port()}", f"-serf-lan-port={free_port()}", f"-serf-wan-port={free_port()}", "-dns-port=-1",
         "-grpc-port=-1", "-log-level=warn"], f"{bench.directory}/consul.out")
    wait_for(lambda: bench.answers(port), 20, "Consul's start")
    return process, port


class Edge:
    def __init__(self, bench, settings):
        self.port = free_port()
        self.data = f"{bench.directory}/edge"
        os.makedirs(self.data)
        self.process = bench.processes.start(
            [bench.tipflow, "edge"], f"{bench.directory}/edge.out",
            {**settings, "TIPFLOW_DATA_DIR": self.data, "TIPFLOW_EDGE_PORT": str(self.port)})
        wait_for(lambda: bench.answers(self.port), 20, f"the edge's start\n{tail(self.process.log)}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def sends_to(self, node):
        try:
            with open(f"{self.data}/edge/nginx.conf", encoding="utf-8") as file:
                return f"server 127.0.0.1:{node.port} " in file.read()
        except FileNotFoundError:  # nothing is written before Consul has been asked
            return False

    def pids(self):
        """The agent, and nginx: its master and its workers, which change when it reloads."""
        with open(f"{self.data}/edge/nginx.pid", encoding="utf-8") as file:
            master = int(file.read())
        with open(f"/proc/{master}/task/{master}/children", encoding="utf-8") as file:
            workers = file.read().split()
        return {"edge's agent": self.process.pid, "nginx": master,
                **{f"nginx worker {number}": int(pid) for number, pid in enumerate(workers, 1)}}


class Cluster:
    """Consul, Redis, the edge, one node with the other roles, and as many of audience as are asked for."""

    def __init__(self, bench):
        self.bench = bench
        consul, consul_port = start_consul(bench)
        redis, redis_port = start_redis(bench)
        self.servers = {"Consul": consul, "Redis": redis}
        self.settings = {
            "TIPFLOW_HTTP_ADDRESS": "127.0.0.1", "TIPFLOW_HTTP_TRUSTED_PROXIES": "127.0.0.1/32",
            "TIPFLOW_CONSUL_URL": f"http://127.0.0.1:{consul_port}", "TIPFLOW_REDIS_URL": f"redis://127.0.0.1:{redis_port}",
            "TIPFLOW_CLUSTER_KEY": secrets.token_hex(32), "TIPFLOW_TOKEN_KEY": secrets.token_hex(32),
            "TIPFLOW_DATA_KEYS": f"k1:{secrets.token_hex(32)}"}
        self.pair = bench.pair(NAME)
        self.rest = bench.node(self.pair, roles=OTHER_ROLES, settings=self.settings)
        self.audience = []
        self.edge = Edge(bench, self.settings)
        self.await_known(self.rest)

    def await_known(self, node):
        wait_for(lambda: self.edge.sends_to(node), 30, "the edge sends to a node", every=0.2)

    def with_audience(self, count):
        while len(self.audience) > count:
            self.audience.pop().stop()
        while len(self.audience) < count:
            self.audience.append(self.bench.node(self.pair, roles="audience", settings=self.settings))
            self.await_known(self.audience[-1])

    def pids(self):
        return {**self.pair.pids(), "other roles": self.rest.process.pid, **self.edge.pids(),
                **{name: process.pid for name, process in self.servers.items()},
                **{f"audience {number}": node.process.pid for number, node in enumerate(self.audience, 1)}}

    def load(self, **options):
        return run_load(self.bench, self.edge.url, self.pids(), connections=CONNECTIONS, **options)

    def close(self):
        tips = self.rest.wait_settled()
        self.with_audience(0)
        self.bench.processes.stop(self.edge.process)
        self.rest.close()
        for process in self.servers.values():
            self.bench.processes.stop(process)
        return tips


def added_up(split):
    """The parts of one kind together: nginx's, and audience's."""
    together = {}
    for name, value in split.items():
        kind = next((kind for kind in ("nginx", "audience") if name.startswith(kind)), name)
        together[kind] = together.get(kind, 0) + value
    return together


def measure(bench):
    enough = bench.cores >= CORES_TO_SCALE
    cost = Figure("processor time of all processes a tip, two nodes of audience, at one rate", "µs", ratio_at_most=1.1,
                  ceiling_what="one node of audience")
    rate = Figure(f"tips, one request each, two nodes of audience, {CONNECTIONS} connections", "tips/s",
                  ratio_at_least=1.6 if enough else None, ceiling_what="one node of audience")
    result = Result(NAME, TITLE, [cost, rate], [])
    splits = []
    cluster = Cluster(bench)
    for number in bench.runs():
        runs = {}
        steady = None
        # In turns, first the one and then the other: a machine that slows down favours neither.
        for count in (1, 2) if number % 2 else (2, 1):
            with bench.lock.held():
                cluster.with_audience(count)
                highest = cluster.load()
                cluster.rest.wait_settled()
                steady = steady or round(PART * highest.rate)
                runs[count] = highest, cluster.load(rate=steady)
                cluster.rest.wait_settled()
        cost.add(runs[2][1].cost_us(), runs[1][1].cost_us())
        rate.add(runs[2][0].rate, runs[1][0].rate, runs[2][0].latency())
        splits.append(added_up(runs[2][1].split()))
    with bench.lock.held():
        tips = cluster.close()
    result.split = median_of_splits(splits)
    result.remarks.append(f"{OTHER_ROLES.replace(',', ', ')} on a node of their own; nginx, Consul, Redis and the load generator on the "
                          f"same machine and counted. The cost is measured at {PART:.0%} of the highest rate of the run's first. "
                          f"{tips:,} tips in the books, all settled and audited.")
    if not enough:
        result.remarks.append(f"**{bench.cores} cores**: one node with database, edge and load fills them, so that a second one cannot "
                              f"raise the rate; that it is 1.6 times as high is asked where there are {CORES_TO_SCALE}. What shows "
                              "here is that a second node costs nothing.")
    return result
