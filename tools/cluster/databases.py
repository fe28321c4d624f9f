"""MariaDB: a primary and a replica for each of DB1 and DB2, on binary logs with GTIDs, durable as production is."""
import os
import pwd
import shutil
import subprocess

from part import Part
from processes import ClusterError, run, write_whole

REPLICATION_USER = "replication"
LONGEST_SOCKET = 107
SETTINGS = [
    "--bind-address=127.0.0.1", "--skip-name-resolve", "--character-set-server=utf8mb4", "--max-connections=600",
    "--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=128M", "--innodb-log-file-size=64M",
    "--log-bin=binlog", "--binlog-format=ROW", "--sync-binlog=1", "--gtid-strict-mode=ON", "--log-slave-updates=ON",
    "--expire-logs-days=1", "--slave-parallel-threads=2"]


def account():
    return f"--user={pwd.getpwuid(os.getuid()).pw_name}"


def prepare_template(directory):
    """An empty data directory, made once and copied for each server."""
    template = f"{directory}/mariadb-empty"
    if not os.path.exists(f"{template}.complete"):
        shutil.rmtree(template, ignore_errors=True)
        run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
             f"--datadir={template}", "--innodb-log-file-size=64M", account()], "mariadb-install-db")
        write_whole(f"{template}.complete", "")
    return template


def account_statements(template, values):
    """The lines of deploy/database/accounts.sql.template that speak of nothing but what `values` names."""
    lines = []
    for line in template.splitlines():
        for name, value in values.items():
            line = line.replace(f"${{{name}}}", value)
        if "${" not in line:
            lines.append(line)
    return "\n".join(lines)


class Mariadb(Part):
    kind = "MariaDB"
    stop_seconds = 30

    def __init__(self, name, directory, port, number, primary=None):
        super().__init__(name, directory, port)
        self.number = number
        self.primary = primary
        self.data = f"{directory}/{name}"
        self.socket = f"{directory}/run/{name}.sock"
        if len(self.socket) > LONGEST_SOCKET:
            raise ClusterError(f"{directory} is too long a path for a socket\nChoose a shorter one: TIPFLOW_CLUSTER_DIR=…")

    @property
    def is_new(self):
        return not os.path.exists(f"{self.data}.complete")

    def is_complete(self):
        write_whole(f"{self.data}.complete", "")

    def launch(self):
        if self.is_new:
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.copytree(prepare_template(self.directory), self.data)
        read_only = ["--read-only=ON"] if self.primary else []
        self.process.start(
            ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--port={self.port}", f"--socket={self.socket}",
             f"--pid-file={self.directory}/run/{self.name}.pid", f"--server-id={self.number}",
             f"--report-host={self.name}", *SETTINGS, *read_only, account()])

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
            if self.client("SELECT 1").returncode:
                return False, "does not answer"
            return self.replication() if self.primary else (True, "primary")
        except subprocess.TimeoutExpired:
            return False, "does not answer"

    def replication(self):
        rows = self.query("SHOW SLAVE STATUS")
        if not rows:
            return True, "not replicating yet"
        status = rows[0]
        if status["Slave_IO_Running"] == status["Slave_SQL_Running"] == "Yes":
            return True, f"replica, {status['Seconds_Behind_Master']} s behind"
        return False, f"replica stopped: {status['Last_IO_Error'] or status['Last_SQL_Error'] or 'connecting'}"

    def follow(self, password):
        """Makes it a replica from the beginning of its primary's log."""
        self.primary.query(f"CREATE USER IF NOT EXISTS {REPLICATION_USER}@'127.0.0.1' IDENTIFIED BY '{password}'; "
                           f"GRANT REPLICATION SLAVE ON *.* TO {REPLICATION_USER}@'127.0.0.1'")
        self.query(f"STOP SLAVE; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.primary.port}, "
                   f"MASTER_USER='{REPLICATION_USER}', MASTER_PASSWORD='{password}', MASTER_CONNECT_RETRY=1, "
                   "MASTER_USE_GTID=slave_pos; START SLAVE")
