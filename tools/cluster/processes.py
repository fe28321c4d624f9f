"""Programs that go on when this one ends: started in the background, found again and ended by their process id."""
import contextlib
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time


class ClusterError(Exception):
    """Ends the command; its text says what is wrong, and a second line what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port(taken):
    """A port that nothing listens on, below those that outgoing connections take by themselves."""
    for _ in range(1_000):
        port = random.randrange(20_000, 30_000)
        if port not in taken and not answers(port):
            taken.add(port)
            return port
    raise ClusterError("there is no free port of 127.0.0.1 between 20000 and 30000")


def answers(port):
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds, what, every=0.05):
    """The first true value of `condition`; an error after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() >= deadline:
            raise ClusterError(f"{what}: not within {seconds} s")
        time.sleep(every)


def tail(path, lines=15):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError:
        return ""


def write_whole(path, text, mode=0o600):
    temporary = f"{path}.new"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def birth(pid):
    """When a process was started, in the kernel's ticks; None when there is none. A zombie is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


class Process:
    """One program of the cluster. A number that another program has by now is never signalled."""

    def __init__(self, name, directory):
        self.name = name
        self.file = f"{directory}/run/{name}.json"
        self.log = f"{directory}/log/{name}.out"

    @property
    def pid(self):
        """None when it does not run."""
        try:
            with open(self.file, encoding="utf-8") as file:
                kept = json.load(file)
        except (OSError, ValueError):
            return None
        return kept["pid"] if birth(kept["pid"]) == kept["birth"] else None

    def start(self, command, environment=None, limits=None):
        with open(self.log, "ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=environment, start_new_session=True, preexec_fn=limits)
        write_whole(self.file, json.dumps({"pid": process.pid, "birth": birth(process.pid)}))
        return process

    def send(self, number):
        """Whether there was something to signal."""
        pid = self.pid
        if pid is None:
            return False
        os.kill(pid, number)
        return True

    def end(self, number=signal.SIGTERM, seconds=20):
        """Sends a signal, waits, and kills what stays; whether it left by itself."""
        if not self.send(number):
            return True
        self.send(signal.SIGCONT)
        try:
            wait_for(lambda: self.pid is None, seconds, self.name)
            return True
        except ClusterError:
            self.send(signal.SIGKILL)
            wait_for(lambda: self.pid is None, 10, f"the end of {self.name}")
            return False


@contextlib.contextmanager
def only_one(directory):
    """One command at a time changes a cluster."""
    with open(f"{directory}/lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("    waiting for another ./dev cluster command")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command, what, seconds=120, environment=None, text=None):
    """Runs to its end; what it printed."""
    try:
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds,
                                env=environment, input=text, check=False)
    except FileNotFoundError:
        raise ClusterError(f"{command[0]} is not installed\n./dev cluster up installs what is missing.") from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{what}: not within {seconds} s") from None
    if result.returncode:
        raise ClusterError(f"{what} failed:\n{(result.stdout + result.stderr).strip()}")
    return result.stdout
