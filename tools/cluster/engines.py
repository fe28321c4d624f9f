"""Which databases a cluster is made with: their servers, and where nodes find DB1 and DB2."""
from databases import Mariadb
from galera import CHECK_USER, NODE_PORTS, NODES, Endpoint, GaleraNode
from mysql import Mysql


DATABASES = ["db1", "db1-replica", "db2", "db2-replica"]


class Replicated:
    """A primary and a replica for each of DB1 and DB2."""

    port_names = DATABASES

    def __init__(self, directory, ports, password, programs):
        self.password = password
        db1 = self.server("db1", directory, ports, 11, programs)
        db2 = self.server("db2", directory, ports, 21, programs)
        self.servers = [db1, self.server("db1-replica", directory, ports, 12, programs, db1),
                        db2, self.server("db2-replica", directory, ports, 22, programs, db2)]
        self.fronts = []
        self.writers = {1: db1, 2: db2}
        self.replicas = {1: [self.servers[1]], 2: [self.servers[3]]}

    def server(self, name, directory, ports, number, programs, primary=None):
        return Mariadb(name, directory, ports[name], number, primary)

    def prepare(self):
        """Replication first, so that accounts and databases reach the replicas by themselves."""
        for part in self.servers:
            if part.primary and part.is_new:
                part.follow(self.password)

    def is_complete(self):
        for part in self.servers:
            part.is_complete()

    def where(self, number):
        """The part that statements for that database go to by root, and the ports of nodes: of it and of its replicas."""
        writer = self.writers[number]
        return writer, writer.port, [replica.port for replica in self.replicas[number]]


class ReplicatedMysql(Replicated):
    """The same with MySQL."""

    def server(self, name, directory, ports, number, programs, primary=None):
        return Mysql(name, directory, ports[name], number, programs["mysql"], primary)


class Galera:
    """Three nodes with DB1 and DB2 both, behind one endpoint."""

    port_names = ["databases", *NODES, *(f"{node}-{kind}" for node in NODES for kind in NODE_PORTS)]

    def __init__(self, directory, ports, password, programs):
        self.servers = [
            GaleraNode(name, directory, ports[name], number, {kind: ports[f"{name}-{kind}"] for kind in NODE_PORTS})
            for number, name in enumerate(NODES, 31)]
        for node in self.servers:
            node.group = self.servers
        self.fronts = [Endpoint("databases", directory, ports["databases"], self.servers)]

    def prepare(self):
        self.servers[0].query(f"CREATE USER IF NOT EXISTS {CHECK_USER}@'127.0.0.1'")

    def is_complete(self):
        pass

    def where(self, number):
        return self.servers[0], self.fronts[0].port, []


ENGINES = {"replicated": Replicated, "galera": Galera, "mysql": ReplicatedMysql}
