"""What all rows share: options, programs, the temporary directory, processes, the lock, one MariaDB."""
import argparse
import dataclasses
import functools
import os
import shutil
import signal
import socket
import tempfile

from processes import BenchError, Lock, Processes, say
from servers import Mariadb, MariadbPair, Node, SqlitePair


@dataclasses.dataclass
class Options:
    runs: int = 5
    seconds: float = 5
    threads: int = 1
    full: bool = False

    @staticmethod
    def of(arguments: argparse.Namespace):
        return Options(arguments.runs, arguments.seconds, arguments.threads, arguments.full)

    def size(self, full, usual):
        return full if self.full else usual


def seconds_of_load(options, part=1.0):
    """What one measurement takes with its preparation, warm-up and check, for estimates."""
    return part * options.seconds + 2.3


class Bench:
    def __init__(self, options, programs, root, lock, parent=None):
        self.options = options
        self.root = root
        self.cores = os.cpu_count()
        for program in ("tipflow", "tipflow_ceilings"):
            if not os.path.exists(f"{programs}/{program}"):
                raise BenchError(f"there is no {program} in {programs}: ./dev bench builds it")
        self.directory = tempfile.mkdtemp(prefix="tipflow-bench-", dir=parent)
        # Copies: a build meanwhile does not change what is measured.
        self.tipflow = shutil.copy2(f"{programs}/tipflow", self.directory)
        self.ceilings = shutil.copy2(f"{programs}/tipflow_ceilings", self.directory)
        self.lock = Lock(lock)
        self.processes = Processes()
        self.nodes = 0
        self.others = []  # of each load: the part of the processors that somebody else used

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for another in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(another, signal.SIG_IGN)  # a second Ctrl-C leaves nothing behind either
        self.processes.stop_all()
        shutil.rmtree(self.directory, ignore_errors=True)

    @functools.cached_property
    def mariadb(self):
        return Mariadb(self.processes, self.directory)

    def pair(self, name):
        return MariadbPair(self.mariadb, name)

    def node(self, pair, **options):
        """A node on that pair, with a data directory of its own."""
        self.nodes += 1
        return Node(self, pair, f"{self.directory}/node-{self.nodes}", **options)

    def sqlite_node(self, directory=None):
        self.nodes += 1
        directory = directory or f"{self.directory}/node-{self.nodes}"
        return Node(self, SqlitePair(directory), directory)

    def answers(self, port):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    def runs(self):
        for number in range(1, self.options.runs + 1):
            say(f"    run {number} of {self.options.runs}")
            yield number
