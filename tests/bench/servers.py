"""A MariaDB of the benchmark's own, pairs of databases on it or as SQLite files, and nodes on such a pair."""
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import time

from processes import BenchError, free_port, tail, wait_for

PASSWORD = "benchmark-admin"
MARIADB_SETTINGS = ["--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=2G", "--innodb-log-file-size=1G", "--max-connections=1000"]


class Mariadb:
    """One server for both databases. Durable: each commit is synced."""

    def __init__(self, processes, directory):
        self.processes = processes
        self.port = free_port()
        self.socket = f"{directory}/mariadb.sock"
        data, log = f"{directory}/mariadb", f"{directory}/mariadb.log"
        user = ["--user=root"] if os.getuid() == 0 else []
        processes.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                       f"--datadir={data}", "--skip-test-db", *user], f"{directory}/mariadb-install.log", 120)
        self.process = processes.start(
            ["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={self.port}", "--bind-address=127.0.0.1",
             f"--socket={self.socket}", "--skip-name-resolve", *MARIADB_SETTINGS, *user], log)
        wait_for(self.answers, 60, f"MariaDB's start (log: {log})")
        # mariadb-install-db leaves a passwordless root, or the user who ran it.
        self.query("", "CREATE USER bench@'127.0.0.1' IDENTIFIED BY 'bench'; GRANT ALL ON *.* TO bench@'127.0.0.1'")

    def client(self, database, sql):
        return subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "-N", "-B", "-e", sql, database],
            capture_output=True, text=True, check=False)

    def answers(self):
        if self.process.poll() is not None:
            raise BenchError(f"MariaDB did not start:\n{tail(self.process.log)}")
        return self.client("", "SELECT 1").returncode == 0

    def query(self, database, sql):
        """Rows as lists of text."""
        result = self.client(database, sql)
        if result.returncode:
            raise BenchError(f"MariaDB: {result.stderr.strip()} ({sql[:80]})")
        return [line.split("\t") for line in result.stdout.splitlines()]

    def url(self, database):
        return f"mysql://bench:bench@127.0.0.1:{self.port}/{database}"


def start_redis(bench):
    """The process and its port. It keeps nothing."""
    port = free_port()
    process = bench.processes.start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
                                    f"{bench.directory}/redis.out")
    wait_for(lambda: bench.answers(port), 10, "Redis")
    return process, port


class MariadbPair:
    """DB1 and DB2, fresh, on one server."""
    what = "MariaDB"

    def __init__(self, mariadb, name):
        self.mariadb = mariadb
        self.names = {1: f"{name}_db1", 2: f"{name}_db2"}
        for database in self.names.values():
            mariadb.query("", f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}")

    def environment(self):
        return {f"TIPFLOW_DB{number}_URL": self.mariadb.url(name) for number, name in self.names.items()}

    def pids(self):
        return {"database": self.mariadb.process.pid}

    def rows(self, number, sql):
        return self.mariadb.query(self.names[number], sql)

    def drop(self):
        for database in self.names.values():
            self.mariadb.query("", f"DROP DATABASE {database}")


class SqlitePair:
    """DB1 and DB2 as files in the node's data directory."""
    what = "SQLite"

    def __init__(self, directory):
        self.directory = directory

    def environment(self):
        return {}

    def pids(self):
        return {}

    def rows(self, number, sql):
        connection = sqlite3.connect(f"file:{self.directory}/db{number}.sqlite?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def drop(self):
        """They go with the directory."""


class Node:
    """A node with all roles, or those given, signed requests required, its log in its data directory."""

    def __init__(self, bench, pair, directory, roles="", settings=None):
        self.bench = bench
        self.pair = pair
        self.directory = directory
        self.port = free_port()
        os.makedirs(directory, exist_ok=True)
        self.environment = {"TIPFLOW_DATA_DIR": directory, "TIPFLOW_HTTP_PORT": str(self.port),
                            "TIPFLOW_ADMIN_PASSWORD": PASSWORD, **pair.environment(), **(settings or {})}
        command = [bench.tipflow, "serve"] + (["--roles", roles] if roles else [])
        started = time.monotonic()
        self.process = bench.processes.start(command, f"{directory}.out", self.environment)
        wait_for(self.ready, 60, "a node's start", every=0.005)
        self.start_seconds = time.monotonic() - started

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def pids(self):
        return {**self.pair.pids(), "node": self.process.pid}

    def ready(self):
        if self.process.poll() is not None:
            raise BenchError(f"the node ended at its start:\n{tail(self.process.log)}")
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def request(self, method, path, body=None, token=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def operator_token(self):
        status, body = self.request("POST", "/api/v1/auth/login",
                                    {"kind": "operator", "name": "admin", "password": PASSWORD})
        if status != 200:
            raise BenchError(f"the operator's login was answered {status}: {body[:200]}")
        return json.loads(body)["token"]

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024

    def tips(self):
        return int(self.pair.rows(1, "SELECT COUNT(*) FROM tip")[0][0])

    def settled(self):
        """Lanes are numbered without holes, so the cursors add up to the tips that are settled."""
        return int(self.pair.rows(2, "SELECT COALESCE(SUM(last_seq), 0) FROM sync_cursor")[0][0])

    def wait_settled(self, seconds=600):
        tips = self.tips()
        wait_for(lambda: self.settled() >= tips, seconds, f"the settlement of {tips:,} tips", every=0.1)
        return tips

    def stop(self):
        if code := self.bench.processes.stop(self.process):
            raise BenchError(f"the node ended with {code}:\n{tail(self.process.log)}")

    def audit(self):
        """A fast wrong book is no figure."""
        log = f"{self.directory}.audit"
        self.bench.processes.run([self.bench.tipflow, "audit"], log, 3_600, self.environment)

    def close(self):
        """Settled, stopped, audited, gone; how many tips the books held."""
        tips = self.wait_settled()
        self.stop()
        self.audit()
        self.discard()
        return tips

    def discard(self):
        self.bench.processes.stop(self.process)
        self.pair.drop()
        shutil.rmtree(self.directory, ignore_errors=True)
