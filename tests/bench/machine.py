"""The machine and the versions that figures were measured with."""
import glob
import os
import platform
import re
import subprocess
import time

FSYNC_SECONDS = 2


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def first_match(pattern, path):
    try:
        with open(path, encoding="utf-8") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except FileNotFoundError:
        return ""
    return found.group(1) if found else ""


def fsync_rate(directory):
    """Writes of 4 KiB a second, each synced before the next."""
    path = f"{directory}/fsync"
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        count, started = 0, time.monotonic()
        while (took := time.monotonic() - started) < FSYNC_SECONDS:
            os.pwrite(file, b"x" * 4_096, 4_096 * (count % 1_024))
            os.fdatasync(file)
            count += 1
        return count / took
    finally:
        os.close(file)
        os.unlink(path)


def machine(directory):
    memory = int(first_match(r"^MemTotal:\s+(\d+)", "/proc/meminfo") or 0) / 2**20
    model = first_match(r"^model name\s*:\s*(.+)$", "/proc/cpuinfo") or platform.machine()
    return {
        "processor": f"{os.cpu_count()} × {model}",
        "memory": f"{memory:.0f} GiB",
        "kernel": platform.release(),
        "system": first_match(r'^PRETTY_NAME="(.+)"', "/etc/os-release"),
        "file system": output("stat", "-f", "-c", "%T", directory),
        "synced writes": f"{fsync_rate(directory):,.0f}/s, 4 KiB each",
    }


def versions(bench):
    mariadb = re.search(r"Ver (\S+)", output("mariadbd", "--version"))
    prefix = os.environ.get("DROGON_PREFIX") or "/usr"
    drogon = [first_match(r'PACKAGE_VERSION "([^"]+)"', path)
              for folder in ("lib", "lib/*") for path in glob.glob(f"{prefix}/{folder}/cmake/Drogon/DrogonConfigVersion.cmake")]
    found = {
        "Tipflow": output(bench.tipflow, "version").removeprefix("tipflow "),
        "MariaDB": mariadb.group(1) if mariadb else "",
        "SQLite": output("dpkg-query", "-W", "-f=${Version}", "libsqlite3-0"),
        "Drogon": drogon[0] if drogon else "",
        "compiler": output(os.environ.get("CXX", "g++"), "--version").split("\n")[0],
    }
    return {name: version for name, version in found.items() if version}
