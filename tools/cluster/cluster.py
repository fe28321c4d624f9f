#!/usr/bin/env python3
"""A whole cluster on this machine, without containers: see ./dev cluster --help."""
import argparse
import concurrent.futures
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time

from databases import account_statements
from engines import ENGINES
from nodes import Edge, Node, known_roles
from processes import ClusterError, free_port, only_one, run, say, wait_for, write_whole
from servers import Consul, Redis

NODES_OF_A_ROLE = 2
KNOWN_WITHIN = 15  # seconds until Consul and the edge know of a node
DATABASE_NAMES = {1: "tipflow_db1", 2: "tipflow_db2"}
# Whoever uses a database has an account of its own, with least rights: roles, and those who make and check the schema.
ACCOUNTS = ["owner", "auditor", "anchor", "audience", "finance", "analysis", "console"]
ACCOUNTS_TEMPLATE = os.path.join(os.path.dirname(__file__), "../../deploy/database/accounts.sql.template")
# Leave before the others: what they hold still goes through these.
LEAVE_FIRST = {"audience", "room", "mock"}
# Not passed on: no settings of a node.
OWN_VARIABLES = ["TIPFLOW_CLUSTER_DIR", "TIPFLOW_CLUSTER_BINARY", "TIPFLOW_CLUSTER_CONSUL", "TIPFLOW_CLUSTER_MYSQL",
                 "TIPFLOW_CACHE_DIR", "TIPFLOW_BIN"]


class Cluster:
    """Its directory, what was decided when it was made (ports, keys, nodes), and its parts."""

    def __init__(self, directory, programs):
        self.directory = directory
        self.programs = programs
        with open(f"{directory}/cluster.json", encoding="utf-8") as file:
            self.made = json.load(file)
        self.build()

    @staticmethod
    def exists(directory):
        return os.path.exists(f"{directory}/cluster.json")

    @staticmethod
    def make(directory, programs, databases):
        for folder in ("run", "log", "nodes"):
            os.makedirs(f"{directory}/{folder}", mode=0o700, exist_ok=True)
        taken = set()
        names = [*ENGINES[databases].port_names, "redis", "consul", "consul-rpc", "consul-lan", "consul-wan"]
        made = {
            "databases": databases,
            "ports": {name: free_port(taken) for name in names},
            "keys": {"TIPFLOW_CLUSTER_KEY": secrets.token_hex(32), "TIPFLOW_TOKEN_KEY": secrets.token_hex(32),
                     "TIPFLOW_DATA_KEYS": f"k1:{secrets.token_hex(32)}"},
            "databasePassword": secrets.token_hex(16),
            "nodes": {},
        }
        made["ports"]["edge"] = int(os.environ.get("TIPFLOW_EDGE_PORT") or 8000)
        for role in known_roles(programs["tipflow"]):
            for number in range(1, NODES_OF_A_ROLE + 1):
                made["nodes"][f"{role}-{number}"] = {"role": role, "port": free_port(taken)}
        password = os.environ.get("TIPFLOW_ADMIN_PASSWORD") or secrets.token_urlsafe(15)
        write_whole(f"{directory}/admin-password", password + "\n")
        write_whole(f"{directory}/cluster.json", json.dumps(made, indent=1))

    def build(self):
        ports = self.made["ports"]
        self.engine = ENGINES[self.databases](
            self.directory, ports, self.made["databasePassword"], self.programs)
        self.redis = Redis("redis", self.directory, ports["redis"])
        self.consul = Consul("consul", self.directory, ports["consul"], self.programs["consul"],
                             [ports["consul-rpc"], ports["consul-lan"], ports["consul-wan"]])
        self.nodes = [self.node(name, what) for name, what in self.made["nodes"].items()]
        self.edge = Edge("edge", self.directory, ports["edge"], self.programs["tipflow"], self.edge_environment())

    def node(self, name, what):
        return Node(name, self.directory, what["port"], what["role"], self.programs["tipflow"],
                    self.environment(what["role"]))

    @property
    def databases(self):
        """Which of ENGINES it was made with."""
        return self.made.get("databases", "replicated")

    @property
    def parts(self):
        return [*self.engine.servers, *self.engine.fronts, self.redis, self.consul, *self.nodes, self.edge]

    def part(self, name):
        for part in self.parts:
            if part.name == name:
                return part
        raise ClusterError(f"there is no part called '{name}'\nThere are: {', '.join(p.name for p in self.parts)}")

    @property
    def password(self):
        with open(f"{self.directory}/admin-password", encoding="utf-8") as file:
            return file.read().strip()

    def database_urls(self, account):
        """As settings, for one of ACCOUNTS; none for others, which use no database."""
        if account not in ACCOUNTS:
            return {}
        urls = {}
        for number, name in DATABASE_NAMES.items():
            _, port, replicas = self.engine.where(number)
            before = f"mysql://tipflow_{account}:{self.made['databasePassword']}@127.0.0.1"
            urls[f"TIPFLOW_DB{number}_URL"] = f"{before}:{port}/{name}"
            urls[f"TIPFLOW_DB{number}_REPLICA_URLS"] = ",".join(f"{before}:{replica}/{name}" for replica in replicas)
        return urls

    def environment(self, account):
        """Settings of a node, or of a command with that account; others that the caller has set are passed on."""
        ports = self.made["ports"]
        console = self.made["nodes"].get("console-1")
        return {
            **os.environ, **self.made["keys"],
            "TIPFLOW_HTTP_ADDRESS": "127.0.0.1",
            # Requests come from the edge, which says for whom.
            "TIPFLOW_HTTP_TRUSTED_PROXIES": "127.0.0.1/32",
            "TIPFLOW_ADMIN_PASSWORD": self.password,
            **self.database_urls(account),
            "TIPFLOW_REDIS_URL": f"redis://127.0.0.1:{ports['redis']}",
            "TIPFLOW_CONSUL_URL": f"http://127.0.0.1:{ports['consul']}",
            **({"TIPFLOW_RECORDS_URL": f"http://127.0.0.1:{console['port']}"} if console else {}),
        }

    def edge_environment(self):
        return {**os.environ, "TIPFLOW_CLUSTER_KEY": self.made["keys"]["TIPFLOW_CLUSTER_KEY"],
                "TIPFLOW_CONSUL_URL": f"http://127.0.0.1:{self.made['ports']['consul']}"}

    def add_node(self, role):
        numbers = [int(name.rpartition("-")[2]) for name, what in self.made["nodes"].items() if what["role"] == role]
        name = f"{role}-{max(numbers, default=0) + 1}"
        taken = {*self.made["ports"].values(), *(what["port"] for what in self.made["nodes"].values())}
        self.made["nodes"][name] = {"role": role, "port": free_port(taken)}
        write_whole(f"{self.directory}/cluster.json", json.dumps(self.made, indent=1))
        self.build()
        return self.part(name)

    def forget_node(self, name):
        del self.made["nodes"][name]
        write_whole(f"{self.directory}/cluster.json", json.dumps(self.made, indent=1))
        self.build()

    # What is done with it.

    def start_servers(self):
        servers = [*self.engine.servers, self.redis, self.consul]
        begun = [part.name for part in servers if part.begin()]
        at_once([part.await_ready for part in servers])
        self.engine.prepare()
        for part in self.engine.fronts:
            begun += [part.name] if part.begin() else []
            part.await_ready()
        say(f"    servers ready ({len(begun)} started)")

    def prepare_databases(self):
        for number, name in DATABASE_NAMES.items():
            server, _, _ = self.engine.where(number)
            server.query(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
            self.make_accounts(server, number, ["owner"])
        self.engine.is_complete()
        run([self.programs["tipflow"], "migrate"], "tipflow migrate", environment=self.environment("owner"))
        for number in DATABASE_NAMES:
            self.make_accounts(self.engine.where(number)[0], number, ACCOUNTS)

    def make_accounts(self, part, number, accounts):
        values = {"HOST": "127.0.0.1", f"DB{number}": DATABASE_NAMES[number]}
        for account in accounts:
            values[f"{account.upper()}_ACCOUNT"] = f"tipflow_{account}"
            values[f"{account.upper()}_PASSWORD"] = self.made["databasePassword"]
        with open(ACCOUNTS_TEMPLATE, encoding="utf-8") as file:
            part.query(account_statements(file.read(), values))

    def start_nodes(self, nodes):
        begun = [node for node in nodes if node.begin()]
        at_once([node.await_ready for node in nodes])
        say(f"    nodes ready ({len(begun)} started)")

    def known(self, node):
        return node.port in self.consul.passing(node.role) and self.edge.sends_to(node.port)

    def await_known(self, nodes):
        for node in nodes:
            wait_for(lambda node=node: self.known(node), KNOWN_WITHIN, f"the edge sends to {node.name}", every=0.1)

    def up(self):
        self.start_servers()
        self.prepare_databases()
        self.start_nodes(self.nodes)
        self.edge.begin()
        self.edge.await_ready()
        self.await_known(self.nodes)

    def down(self):
        """Nodes first: what they hold is committed and settled before their databases go."""
        first = [node for node in self.nodes if node.role in LEAVE_FIRST]
        others = [node for node in self.nodes if node.role not in LEAVE_FIRST]
        for group in ([self.edge], first, others, [self.redis, self.consul, *self.engine.fronts], self.engine.servers):
            lefts = at_once([part.stop for part in group])
            for part, left in zip(group, lefts):
                if not left:
                    say(f"    {part.name} did not leave in {part.stop_seconds} s and was killed")


def at_once(actions):
    """Runs all of them, each on a thread; their results."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(actions))) as pool:
        return [future.result() for future in [pool.submit(action) for action in actions]]


# The commands.

def show_address(cluster):
    print(f"""
  Tipflow's cluster is up.

  edge           http://127.0.0.1:{cluster.edge.port}
  API            http://127.0.0.1:{cluster.edge.port}/api/v1
  documentation  http://127.0.0.1:{cluster.edge.port}/docs
  admin          name: admin   password: {cluster.password}
  data and logs  {cluster.directory}

  see all of it  ./dev cluster status
  stop it with   ./dev cluster down
""")


def command_up(options, programs):
    started = time.monotonic()
    os.makedirs(options.directory, mode=0o700, exist_ok=True)
    with only_one(options.directory):
        if not Cluster.exists(options.directory):
            Cluster.make(options.directory, programs, options.databases or "replicated")
        cluster = Cluster(options.directory, programs)
        if options.databases not in (None, cluster.databases):
            raise ClusterError(f"the cluster in {options.directory} was made with databases '{cluster.databases}'\n"
                               "Remove it first: ./dev cluster down --delete")
        say("==> Starting the cluster")
        cluster.up()
    say(f"    done in {time.monotonic() - started:.0f} s")
    show_address(cluster)


def command_status(options, programs):
    cluster = Cluster(options.directory, programs)
    states = at_once([part.state for part in cluster.parts])
    if options.json:
        print(json.dumps({"edge": f"http://127.0.0.1:{cluster.edge.port}", "directory": cluster.directory,
                          "databases": cluster.databases,
                          "environment": {name: value for name, value in cluster.environment("auditor").items()
                                          if name.startswith("TIPFLOW_")},
                          "parts": states}, indent=1))
    else:
        print(f"{'part':<16} {'kind':<10} {'pid':>8} {'port':>6}  state")
        for state in states:
            print(f"{state['name']:<16} {state['kind']:<10} {state['pid'] or '-':>8} {state['port']:>6}  {state['state']}")
    return 0 if all(state["healthy"] for state in states) else 1


def command_logs(options, programs):
    cluster = Cluster(options.directory, programs)
    files = [file for part in ([cluster.part(options.part)] if options.part else cluster.parts)
             for file in part.logs() if os.path.exists(file)]
    follow = ["-F"] if options.follow else []
    return subprocess.call(["tail", "-n", str(options.lines), *follow, *files])


def command_kill(options, programs):
    with only_one(options.directory):
        part = Cluster(options.directory, programs).part(options.part)
        if part.process.pid is None:
            raise ClusterError(f"{part.name} does not run")
        part.kill()
    say(f"{part.name} was killed")


def command_start(options, programs):
    with only_one(options.directory):
        cluster = Cluster(options.directory, programs)
        part = cluster.part(options.part)
        begun = part.begin()
        part.await_ready()
        if isinstance(part, Node) and cluster.edge.process.pid is not None:
            cluster.await_known([part])
    say(f"{part.name} is ready" if begun else f"{part.name} runs already")


def command_stop(options, programs):
    with only_one(options.directory):
        part = Cluster(options.directory, programs).part(options.part)
        left = part.stop()
    say(f"{part.name} has left" if left else f"{part.name} did not leave in {part.stop_seconds} s and was killed")


def command_down(options, programs):
    if not Cluster.exists(options.directory):
        say(f"There is no cluster in {options.directory}.")
        return
    with only_one(options.directory):
        say("==> Stopping the cluster")
        Cluster(options.directory, programs).down()
        if options.delete:
            shutil.rmtree(options.directory)
    say(f"    stopped; {'nothing of it is kept' if options.delete else 'what it kept is in ' + options.directory}")


def command_rolling_restart(options, programs):
    with only_one(options.directory):
        cluster = Cluster(options.directory, programs)
        for node in cluster.nodes:
            say(f"    {node.name}")
            node.stop()
            node.begin()
            node.await_ready()
            cluster.await_known([node])
    say("every node was restarted, one after another")


def command_add(options, programs):
    with only_one(options.directory):
        cluster = Cluster(options.directory, programs)
        roles = known_roles(programs["tipflow"])
        if options.role not in roles:
            raise ClusterError(f"'{options.role}' is not a role\nThere are: {', '.join(roles)}")
        node = cluster.add_node(options.role)
        node.begin()
        node.await_ready()
        cluster.await_known([node])
    print(node.name)


def command_remove(options, programs):
    with only_one(options.directory):
        cluster = Cluster(options.directory, programs)
        node = cluster.part(options.part)
        if not isinstance(node, Node):
            raise ClusterError(f"{node.name} is no node, only nodes can be removed\nTo end it for now: ./dev cluster stop {node.name}")
        node.stop()
        cluster.forget_node(node.name)
    say(f"{node.name} has left for good")


def parser():
    parser = argparse.ArgumentParser(
        prog="./dev cluster", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A whole cluster on this machine, on 127.0.0.1, without containers: databases, Redis, Consul, two nodes\n"
                    "of every role, and nginx in front.",
        epilog="TIPFLOW_CLUSTER_DIR     where it is kept (./var/cluster)\n"
               "TIPFLOW_EDGE_PORT       port of the edge when the cluster is made (8000)\n"
               "TIPFLOW_ADMIN_PASSWORD  password of admin when the cluster is made (generated)\n"
               "Other TIPFLOW_ variables are passed on to the nodes.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name, action, text, *arguments):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(action=action)
        for flags, settings in arguments:
            command.add_argument(*flags, **settings)

    part = (["part"], {"metavar": "NODE", "help": "its name in ./dev cluster status, also of a server"})
    add("up", command_up, "install what is missing, build, and start what does not run yet",
        (["--databases"], {"choices": list(ENGINES), "help":
                           "when the cluster is made: MariaDB with a primary and a replica for DB1 and for DB2 (replicated, "
                           "when left out); three nodes of MariaDB Galera behind HAProxy (galera); a primary and a replica "
                           "each of MySQL 9 (mysql)"}))
    add("status", command_status, "every part with process id, port and health; exit 1 when one is not well",
        (["--json"], {"action": "store_true", "help": "for programs"}))
    add("logs", command_logs, "the end of the logs",
        (["part"], {"metavar": "NODE", "nargs": "?", "help": "of this one; of all when left out"}),
        (["-n", "--lines"], {"type": int, "default": 20}),
        (["-f", "--follow"], {"action": "store_true", "help": "go on until Ctrl-C"}))
    add("kill", command_kill, "kill -9", part)
    add("start", command_start, "start it, and wait until the edge sends to it", part)
    add("stop", command_stop, "let it finish what it has, and end it", part)
    add("rolling-restart", command_rolling_restart, "restart every node, one after another, while the others serve")
    add("add", command_add, "one more node; prints its name", (["role"], {"metavar": "ROLE"}))
    add("remove", command_remove, "let a node finish what it has, end it, and forget it", part)
    add("down", command_down, "stop everything",
        (["--delete"], {"action": "store_true", "help": "and remove what it kept"}))
    return parser


def main():
    options = parser().parse_args()
    options.directory = os.path.abspath(os.environ["TIPFLOW_CLUSTER_DIR"])
    programs = {"tipflow": os.environ["TIPFLOW_CLUSTER_BINARY"], "consul": os.environ["TIPFLOW_CLUSTER_CONSUL"],
                "mysql": os.environ.get("TIPFLOW_CLUSTER_MYSQL", "")}
    for name in OWN_VARIABLES:
        os.environ.pop(name, None)
    try:
        if options.action not in (command_up, command_down) and not Cluster.exists(options.directory):
            raise ClusterError(f"there is no cluster in {options.directory}\nMake one: ./dev cluster up")
        return options.action(options, programs) or 0
    except ClusterError as error:
        text, _, hint = str(error).partition("\n")
        say(f"error: {text}" + (f"\n       {hint}" if hint else ""))
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; ./dev cluster status shows what runs, ./dev cluster down stops it")
        return 130


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
