"""Database servers: what MariaDB and MySQL have in common, and MariaDB with replicas. Each is durable as production is."""
import os
import pwd
import shutil
import subprocess

from part import Part
from processes import ClusterError, run, write_whole

REPLICATION_USER = "replication"
LONGEST_SOCKET = 107
SHARED_SETTINGS = [
    "--bind-address=127.0.0.1", "--skip-name-resolve", "--character-set-server=utf8mb4", "--max-connections=600",
    "--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=128M"]
MARIADB_SETTINGS = [*SHARED_SETTINGS, "--innodb-log-file-size=64M"]


def account():
    return f"--user={pwd.getpwuid(os.getuid()).pw_name}"


def prepare_once(directory, name, make):
    """An empty data directory, made once by `make(path)` and copied for each server."""
    template = f"{directory}/{name}-empty"
    if not os.path.exists(f"{template}.complete"):
        shutil.rmtree(template, ignore_errors=True)
        make(template)
        write_whole(f"{template}.complete", "")
    return template


def install_mariadb(template):
    run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
         f"--datadir={template}", "--innodb-log-file-size=64M", account()], "mariadb-install-db")


def account_statements(template, values):
    """The lines of deploy/database/accounts.sql.template that speak of nothing but what `values` names."""
    lines = []
    for line in template.splitlines():
        for name, value in values.items():
            line = line.replace(f"${{{name}}}", value)
        if "${" not in line:
            lines.append(line)
    return "\n".join(lines)


class Server(Part):
    """One server with its own data directory; root reaches it through a socket, without a password."""

    stop_seconds = 30

    def __init__(self, name, directory, port):
        super().__init__(name, directory, port)
        self.data = f"{directory}/{name}"
        self.socket = f"{directory}/run/{name}.sock"
        if len(self.socket) > LONGEST_SOCKET:
            raise ClusterError(f"{directory} is too long a path for a socket\nChoose a shorter one: TIPFLOW_CLUSTER_DIR=…")

    @property
    def is_new(self):
        return not os.path.exists(f"{self.data}.complete")

    def is_complete(self):
        write_whole(f"{self.data}.complete", "")

    def copy_empty(self, template):
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(template, self.data)

    @property
    def places(self):
        return [f"--datadir={self.data}", f"--port={self.port}", f"--socket={self.socket}",
                f"--pid-file={self.directory}/run/{self.name}.pid"]

    def client(self, sql):
        return subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "--batch", "--connect-timeout=2"],
            capture_output=True, text=True, check=False, input=sql, timeout=30)

    def query(self, sql):
        """Rows as maps from column to text."""
        result = self.client(sql)
        if result.returncode:
            raise ClusterError(f"{self.name}: {result.stderr.strip()}")
        lines = [line.split("\t") for line in result.stdout.splitlines()]
        return [dict(zip(lines[0], line)) for line in lines[1:]] if lines else []

    def health(self):
        try:
            return self.condition() if self.client("SELECT 1").returncode == 0 else (False, "does not answer")
        except (subprocess.TimeoutExpired, ClusterError):
            return False, "does not answer"

    def condition(self):
        """Of one that answers: whether it is well, and a word about it."""
        raise NotImplementedError


class Replicating(Server):
    """A primary, or the replica of one."""

    # What replication is called by the server: of the statement, its running threads, and its last errors.
    show_status = ""
    running = ()
    errors = ()
    behind = ""

    def __init__(self, name, directory, port, number, primary=None):
        super().__init__(name, directory, port)
        self.number = number
        self.primary = primary

    def condition(self):
        if not self.primary:
            return True, "primary"
        rows = self.query(self.show_status)
        if not rows:
            return True, "not replicating yet"
        status = rows[0]
        if all(status[name] == "Yes" for name in self.running):
            return True, f"replica, {status[self.behind]} s behind"
        return False, f"replica stopped: {next((status[name] for name in self.errors if status[name]), 'connecting')}"

    def follow(self, password):
        """Makes it a replica from the beginning of its primary's log."""
        self.primary.query(f"CREATE USER IF NOT EXISTS {REPLICATION_USER}@'127.0.0.1' IDENTIFIED BY '{password}'; "
                           f"GRANT REPLICATION SLAVE ON *.* TO {REPLICATION_USER}@'127.0.0.1'")
        self.query(self.follow_statements(password))

    def follow_statements(self, password):
        raise NotImplementedError


class Mariadb(Replicating):
    kind = "MariaDB"
    show_status = "SHOW SLAVE STATUS"
    running = ("Slave_IO_Running", "Slave_SQL_Running")
    errors = ("Last_IO_Error", "Last_SQL_Error")
    behind = "Seconds_Behind_Master"

    def launch(self):
        if self.is_new:
            self.copy_empty(prepare_once(self.directory, "mariadb", install_mariadb))
        read_only = ["--read-only=ON"] if self.primary else []
        self.process.start(
            ["mariadbd", "--no-defaults", *self.places, f"--server-id={self.number}", f"--report-host={self.name}",
             *MARIADB_SETTINGS, "--log-bin=binlog", "--binlog-format=ROW", "--sync-binlog=1", "--gtid-strict-mode=ON",
             "--log-slave-updates=ON", "--expire-logs-days=1", "--slave-parallel-threads=2", *read_only, account()])

    def follow_statements(self, password):
        return (f"STOP SLAVE; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.primary.port}, "
                f"MASTER_USER='{REPLICATION_USER}', MASTER_PASSWORD='{password}', MASTER_CONNECT_RETRY=1, "
                "MASTER_USE_GTID=slave_pos; START SLAVE")
