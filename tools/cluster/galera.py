"""MariaDB Galera: three nodes that hold the same, and HAProxy in front, which sends everybody to one of them."""
import os
import re
import shutil
import subprocess

from databases import MARIADB_SETTINGS, Server, account, install_mariadb, prepare_once
from part import Part
from processes import ClusterError, run, wait_for, write_whole

NODES = ["galera-1", "galera-2", "galera-3"]
# For replication, for what a node missed, and for all of another node's data.
NODE_PORTS = ["group", "ist", "sst"]
# A node that says nothing for so long is left out, and commits go on without it. Galera's own 5 s and 15 s are for
# networks between sites. What a node misses while it is away it gets from another one's gcache.
# Nodes that meet again agree within the time for an installation or begin anew: with 2 s they often did the latter.
GROUP_SETTINGS = ("evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;evs.install_timeout=PT4S;"
                  "gcache.size=128M")
PROVIDERS = ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so"]
CHECK_USER = "endpoint_check"
ENDPOINT_TEMPLATE = os.path.join(os.path.dirname(__file__), "../../deploy/database/haproxy.cfg.template")
CHECK_PROGRAM = os.path.join(os.path.dirname(__file__), "../../deploy/database/galera-check")


def provider():
    for path in PROVIDERS:
        if os.path.exists(path):
            return path
    raise ClusterError("Galera is not installed (Debian: galera-4)\n./dev cluster up --databases galera installs it.")


class GaleraNode(Server):
    kind = "Galera"

    def __init__(self, name, directory, port, number, ports):
        super().__init__(name, directory, port)
        self.number = number
        self.ports = ports
        self.group = [self]  # all of them, this one too

    @property
    def others_run(self):
        return any(node.process.pid is not None for node in self.group if node is not self)

    def begin(self):
        if self.process.pid is None and not self.others_run:
            # The one that knows most begins the group; the others learn from it.
            first = max(self.group, key=lambda node: node.position()[1])
            if first is not self:
                first.begin()
        return super().begin()

    def launch(self):
        if self.is_new:
            self.copy_empty(prepare_once(self.directory, "galera", self.begin_group))
            self.is_complete()
        self.wait_until_left_out()
        group, seqno = self.position()
        start = [f"--wsrep-start-position={group}:{seqno}"] if seqno >= 0 else []
        self.process.start(["mariadbd", *self.settings(), *start, *([] if self.others_run else self.as_first())])

    def wait_until_left_out(self):
        """A group that has not yet left out who died, and meets it again, comes to no agreement for many seconds."""
        others = [node for node in self.group if node is not self and node.process.pid is not None]
        wait_for(lambda: all(node.group_size() <= len(others) for node in others), 30, f"the group has left out {self.name}")

    def begin_group(self, template):
        """An empty data directory at the beginning of a group: nodes that begin alike need none of each other's data."""
        install_mariadb(template)
        log = f"{self.directory}/log/galera-empty.out"
        with open(log, "wb") as output:
            server = subprocess.Popen(
                ["mariadbd", *self.settings(), f"--datadir={template}", "--wsrep-new-cluster"],
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            wait_for(lambda: server.poll() is not None or self.health()[0], 60, "an empty node of Galera is ready")
        finally:
            server.terminate()
            server.wait(30)
        if not os.path.exists(f"{template}/grastate.dat"):
            raise ClusterError(f"no group of Galera could begin\nThe server's output is in {log}")

    def settings(self):
        own = f"gmcast.listen_addr=tcp://127.0.0.1:{self.ports['group']};ist.recv_addr=127.0.0.1:{self.ports['ist']};"
        everybody = ",".join(f"127.0.0.1:{node.ports['group']}" for node in self.group)
        return ["--no-defaults", *self.places, f"--server-id={self.number}", *MARIADB_SETTINGS, "--binlog-format=ROW",
                "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON", f"--wsrep-provider={provider()}",
                "--wsrep-cluster-name=tipflow", f"--wsrep-cluster-address=gcomm://{everybody}",
                f"--wsrep-node-name={self.name}", f"--wsrep-node-address=127.0.0.1:{self.ports['group']}",
                f"--wsrep-provider-options={own}{GROUP_SETTINGS}", "--wsrep-slave-threads=2", "--wsrep-sst-method=mariabackup", "--wsrep-sst-auth=root:",
                f"--wsrep-sst-receive-address=127.0.0.1:{self.ports['sst']}", account()]

    def as_first(self):
        """Nobody else runs: it may begin the group again, which Galera wants to be told."""
        state = f"{self.data}/grastate.dat"
        if os.path.exists(state):
            with open(state, encoding="utf-8") as file:
                text = file.read()
            write_whole(state, text.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        return ["--wsrep-new-cluster"]

    def position(self):
        """The last write set that its data holds, as uuid and number; number -1 when it holds none."""
        try:
            with open(f"{self.data}/grastate.dat", encoding="utf-8") as file:
                state = dict(re.findall(r"^(\w+):\s+(\S+)", file.read(), re.MULTILINE))
        except OSError:
            return "", -1
        if int(state["seqno"]) >= 0:
            return state["uuid"], int(state["seqno"])
        # It was killed: InnoDB knows.
        log = f"{self.directory}/log/{self.name}.recovery"
        write_whole(log, "")
        run(["mariadbd", *self.settings(), "--wsrep-recover", f"--log-error={log}"], f"{self.name}'s recovery")
        with open(log, encoding="utf-8", errors="replace") as file:
            found = re.findall(r"Recovered position: ([0-9a-f-]+):(-?\d+)", file.read())
        return (found[-1][0], int(found[-1][1])) if found else ("", -1)

    def group_size(self):
        """How many nodes it believes its group has; 0 when it does not say."""
        try:
            return int(self.query("SHOW STATUS LIKE 'wsrep_cluster_size'")[0]["Value"])
        except (subprocess.TimeoutExpired, ClusterError):
            return 0

    def condition(self):
        rows = self.query("SHOW STATUS WHERE Variable_name IN "
                          "('wsrep_local_state_comment', 'wsrep_cluster_status', 'wsrep_cluster_size')")
        status = {row["Variable_name"]: row["Value"] for row in rows}
        state, size = status["wsrep_local_state_comment"], status["wsrep_cluster_size"]
        well = state in ("Synced", "Donor/Desynced") and status["wsrep_cluster_status"] == "Primary"
        return well, f"{state}, {status['wsrep_cluster_status']}, {size} nodes"


class Endpoint(Part):
    """HAProxy: one address for the databases, whichever node answers."""

    kind = "HAProxy"

    def __init__(self, name, directory, port, nodes):
        super().__init__(name, directory, port)
        self.nodes = nodes

    def launch(self):
        folder = f"{self.directory}/{self.name}"
        os.makedirs(folder, exist_ok=True)
        check = f"{folder}/check"
        shutil.copy(CHECK_PROGRAM, check)
        os.chmod(check, 0o755)
        with open(ENDPOINT_TEMPLATE, encoding="utf-8") as file:
            text = file.read()
        values = {"ADDRESS": f"127.0.0.1:{self.port}", "CHECK": check,
                  **{f"NODE{number}": f"127.0.0.1:{node.port}" for number, node in enumerate(self.nodes, 1)}}
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        write_whole(f"{folder}/haproxy.cfg", text)
        self.process.start(["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"])

    def sends_to(self):
        """The name of the node that it sends everybody to; None when there is none."""
        try:
            result = subprocess.run(
                ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={self.port}", f"--user={CHECK_USER}",
                 "--connect-timeout=2", "--batch", "--skip-column-names"],
                capture_output=True, text=True, check=False, timeout=10,
                input="SELECT @@wsrep_node_name FROM information_schema.global_status LIMIT 1")
        except subprocess.TimeoutExpired:
            return None
        return result.stdout.strip() if result.returncode == 0 else None

    def health(self):
        node = self.sends_to()
        return (True, f"sends to {node}") if node else (False, "no node takes statements")

    def state(self):
        return {**super().state(), "sendsTo": self.sends_to()}
