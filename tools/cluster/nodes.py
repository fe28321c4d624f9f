"""Tipflow's own processes: a node with one role, and the edge."""
import http.client
import os
import signal
import subprocess

from part import Part
from processes import ClusterError, birth, wait_for


def ask(port, path):
    """Status and body; status 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


class Node(Part):
    stop_seconds = 15

    def __init__(self, name, directory, port, role, binary, environment):
        super().__init__(name, directory, port)
        self.kind = role
        self.role = role
        self.binary = binary
        self.data = f"{directory}/nodes/{name}"
        self.environment = {**environment, "TIPFLOW_NODE": name, "TIPFLOW_DATA_DIR": self.data,
                            "TIPFLOW_HTTP_PORT": str(port)}

    def launch(self):
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        self.process.start([self.binary, "serve", "--roles", self.role], self.environment)

    def health(self):
        status, body = ask(self.port, "/readyz")
        if status == 200:
            return True, "ready"
        return False, f"not ready: {body[:200]}" if status else "does not answer"

    def logs(self):
        return [self.process.log, f"{self.data}/log/tipflow.jsonl"]


class Edge(Part):
    kind = "edge"
    stop_seconds = 15

    def __init__(self, name, directory, port, binary, environment):
        super().__init__(name, directory, port)
        self.binary = binary
        self.data = f"{directory}/edge"
        self.environment = {**environment, "TIPFLOW_NODE": name, "TIPFLOW_DATA_DIR": self.data,
                            "TIPFLOW_EDGE_PORT": str(port)}

    def begin(self):
        # An nginx whose agent was killed goes on, and the next agent takes it over.
        if self.process.pid is None and self.nginx_pid is not None:
            self.launch()
            return True
        return super().begin()

    def launch(self):
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        self.process.start([self.binary, "edge"], self.environment)

    def health(self):
        status, body = ask(self.port, "/livez")
        return (True, "up") if status == 200 else (False, body or "does not answer")

    @property
    def nginx_pid(self):
        """nginx's master process."""
        try:
            with open(f"{self.data}/edge/nginx.pid", encoding="utf-8") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                return pid if self.data in file.read() else None
        except (OSError, ValueError):
            return None

    def sends_to(self, port):
        """Whether nginx has that server in its configuration."""
        try:
            with open(f"{self.data}/edge/nginx.conf", encoding="utf-8") as file:
                return f"server 127.0.0.1:{port} " in file.read()
        except OSError:
            return False

    def stop(self):
        left = super().stop()
        pid = self.nginx_pid
        if pid is not None:  # its agent was killed before
            os.kill(pid, signal.SIGTERM)
            wait_for(lambda: birth(pid) is None, 10, "nginx's end")
        return left

    def state(self):
        return {**super().state(), "nginxPid": self.nginx_pid}

    def logs(self):
        return [self.process.log, f"{self.data}/log/tipflow-edge.jsonl"]


def known_roles(binary):
    """The roles that this binary has, as it says itself of one that it has not."""
    result = subprocess.run([binary, "serve", "--roles", "?"], capture_output=True, text=True, check=False)
    _, found, roles = result.stderr.partition("there are: ")
    if not found:
        raise ClusterError(f"{binary} does not tell its roles:\n{result.stderr}")
    return [role.strip() for role in roles.splitlines()[0].split(",")]
