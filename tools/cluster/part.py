"""What all parts of the cluster have in common: a process, a port, a way to start, a way to see whether it is well."""
import signal

from processes import ClusterError, Process, answers, tail, wait_for

START_SECONDS = 60


class Part:
    kind = ""
    stop_seconds = 20

    def __init__(self, name, directory, port):
        self.name = name
        self.directory = directory
        self.port = port
        self.process = Process(name, directory)

    def launch(self):
        """Starts the process and does not wait."""
        raise NotImplementedError

    def health(self):
        """Whether it is well, and a word about it."""
        raise NotImplementedError

    def begin(self):
        """Starts it where it does not run; whether it had to."""
        if self.process.pid is not None:
            return False
        if answers(self.port):
            raise ClusterError(f"{self.name} cannot start: port {self.port} of 127.0.0.1 is taken\n"
                               "End what has it, or remove the cluster's directory for other ports.")
        self.launch()
        return True

    def await_ready(self, seconds=START_SECONDS):
        def ready():
            if self.process.pid is None:
                raise ClusterError(f"{self.name} ended at its start:\n{tail(self.process.log)}")
            return self.health()[0]
        try:
            wait_for(ready, seconds, f"{self.name} is ready")
        except ClusterError as error:
            raise ClusterError(f"{error}\n{self.health()[1]}; its output is in {self.process.log}") from None

    def stop(self):
        return self.process.end(signal.SIGTERM, self.stop_seconds)

    def kill(self):
        return self.process.end(signal.SIGKILL)

    def logs(self):
        return [self.process.log]

    def state(self):
        """For `status`."""
        pid = self.process.pid
        well, word = self.health() if pid is not None else (False, "down")
        return {"name": self.name, "kind": self.kind, "pid": pid, "port": self.port, "healthy": well, "state": word}
