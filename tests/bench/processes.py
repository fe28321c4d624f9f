"""Starts programs and ends them by their process id, whatever happens; the lock that measurements hold."""
import contextlib
import fcntl
import os
import random
import socket
import subprocess
import sys
import time


class BenchError(Exception):
    """Ends the benchmark; its text says what to do or where to look."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    """A free port below those that outgoing connections take by themselves."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for(condition, seconds, what, every=0.05):
    """The first true value of `condition`; an error after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every)
    raise BenchError(f"{what}: not within {seconds} s")


def tail(path, lines=15):
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-lines:])


class Processes:
    def __init__(self):
        self.running = []

    def start(self, command, log, environment=None):
        """Output goes into the file `log`. A session of its own: Ctrl-C reaches this program alone."""
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})}, start_new_session=True)
        process.log = log
        self.running.append(process)
        return process

    def stop(self, process, seconds=60):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)
        return process.returncode

    def finish(self, process, seconds):
        """Waits for a program that ends by itself; its exit code."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{process.args[0]} did not end within {seconds} s:\n{tail(process.log)}") from None
        self.running.remove(process)
        return process.returncode

    def run(self, command, log, seconds, environment=None):
        """Runs to its end; an error when it fails."""
        process = self.start(command, log, environment)
        if code := self.finish(process, seconds):
            raise BenchError(f"{' '.join(map(str, command))} ended with {code}:\n{tail(log)}")

    def stop_all(self):
        for process in reversed(self.running[:]):
            self.stop(process, 15)


class Lock:
    """Held while something is measured, so that builds and tests that take the same lock wait; None: no lock."""

    def __init__(self, path):
        self.path = path

    @contextlib.contextmanager
    def held(self):
        if not self.path:
            yield
            return
        with open(self.path, "a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("    waiting for the lock")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
