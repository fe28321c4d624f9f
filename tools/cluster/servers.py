"""Redis, which keeps nothing over a restart, and Consul, one server."""
import http.client
import json
import os
import resource
import socket

from part import Part


class Redis(Part):
    kind = "Redis"

    def launch(self):
        self.process.start(["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly",
                            "no", "--daemonize", "no", "--dir", f"{self.directory}/run"])

    def health(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as one:
                one.sendall(b"PING\r\n")
                return (True, "up") if one.recv(16).startswith(b"+PONG") else (False, "does not answer PING")
        except OSError as error:
            return False, str(error)


class Consul(Part):
    kind = "Consul"

    def __init__(self, name, directory, port, program, others):
        super().__init__(name, directory, port)
        self.program = program
        self.others = others

    def launch(self):
        rpc, lan, wan = self.others
        data = f"{self.directory}/consul"
        os.makedirs(data, exist_ok=True)
        self.process.start(
            [self.program, "agent", "-server", "-bootstrap-expect=1", f"-data-dir={data}", "-node=tipflow",
             "-bind=127.0.0.1", "-client=127.0.0.1", f"-http-port={self.port}", f"-server-port={rpc}",
             f"-serf-lan-port={lan}", f"-serf-wan-port={wan}", "-dns-port=-1", "-grpc-port=-1", "-log-level=warn",
             "-hcl", "performance { raft_multiplier = 1 } disable_update_check = true limits { http_max_conns_per_client = 1000 }"],
            limits=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    def health(self):
        try:
            return (True, "leads") if self.ask("/v1/status/leader") else (False, "has no leader yet")
        except (OSError, ValueError, http.client.HTTPException) as error:
            return False, str(error)

    def passing(self, role):
        """The ports of the nodes that serve a role."""
        try:
            return {entry["Service"]["Port"] for entry in self.ask(f"/v1/health/service/tipflow-{role}?passing=1")}
        except (OSError, ValueError, http.client.HTTPException):
            return set()
