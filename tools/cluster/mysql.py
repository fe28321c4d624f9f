"""MySQL from Debian's sid, unpacked beside the system (tools/dev/setup.sh): run by its own loader with its own libraries."""
import glob
import os

from databases import REPLICATION_USER, SHARED_SETTINGS, Replicating, account, prepare_once
from processes import ClusterError, run


def mysqld(root):
    """The command line that starts the server of that root directory, up to its settings."""
    loaders = glob.glob(f"{root}/usr/lib64/ld-linux-*.so.*") + glob.glob(f"{root}/usr/lib/ld-linux-*.so.*")
    libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu*")
    if not loaders or not libraries or not os.path.exists(f"{root}/usr/sbin/mysqld"):
        raise ClusterError(f"there is no MySQL in {root}\n./dev cluster up --databases mysql fetches it.")
    return [loaders[0], "--library-path", ":".join(libraries), f"{root}/usr/sbin/mysqld", "--no-defaults",
            f"--basedir={root}/usr", f"--lc-messages-dir={root}/usr/share/mysql",
            f"--character-sets-dir={root}/usr/share/mysql/charsets", f"--plugin-dir={root}/usr/lib/mysql/plugin",
            "--secure-file-priv=NULL", "--innodb-redo-log-capacity=64M", account()]


class Mysql(Replicating):
    kind = "MySQL"
    show_status = "SHOW REPLICA STATUS"
    running = ("Replica_IO_Running", "Replica_SQL_Running")
    errors = ("Last_IO_Error", "Last_SQL_Error")
    behind = "Seconds_Behind_Source"

    def __init__(self, name, directory, port, number, root, primary=None):
        super().__init__(name, directory, port, number, primary)
        self.root = root

    def launch(self):
        if self.is_new:
            self.copy_empty(prepare_once(self.directory, "mysql", lambda template: run(
                [*mysqld(self.root), "--initialize-insecure", f"--datadir={template}"], "mysqld --initialize-insecure")))
            os.remove(f"{self.data}/auto.cnf")  # the server's identity: each makes its own
        read_only = ["--super-read-only=ON"] if self.primary else []
        # The binary log, and its sync, are MySQL's defaults.
        self.process.start(
            [*mysqld(self.root), *self.places, f"--server-id={self.number}", f"--report-host={self.name}",
             *SHARED_SETTINGS, "--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON",
             "--binlog-expire-logs-seconds=86400", "--replica-parallel-workers=2", *read_only])

    def follow_statements(self, password):
        return (f"STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={self.primary.port}, "
                f"SOURCE_USER='{REPLICATION_USER}', SOURCE_PASSWORD='{password}', SOURCE_CONNECT_RETRY=1, "
                "SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA")
