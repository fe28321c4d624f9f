"""The functions that took most of the processors' time, by `perf` where it is there and allowed."""
import concurrent.futures
import re
import shutil
import subprocess

from load import node_load
from processes import wait_for

LINE = re.compile(r"^\s*([\d.]+)%\s+(\S.*?)\s+\[([.k])\]\s+(.+?)\s*$")
MOST = 25
WATCHED_SECONDS = 3


def functions_in(report):
    """Lines of `perf report --sort comm,symbol`, largest first."""
    found = []
    for line in report.splitlines():
        if match := LINE.match(line):
            percent, thread, where, function = match.groups()
            name = re.split(r"\s{2,}", function)[0]  # some versions of perf add columns
            found.append({"percent": float(percent), "thread": thread, "kernel": where == "k", "function": name})
    return found[:MOST]


def functions_of(bench, node):
    """Of node and database under the load of one closed loop; a run of its own, since being watched costs time."""
    if not shutil.which("perf"):
        return []
    before = node.settled()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        load = pool.submit(node_load, node, seconds=WATCHED_SECONDS + 2)
        # Not before the tips come: preparing viewers hashes passwords.
        wait_for(lambda: load.done() or node.settled() > before, 60, "the first tip", every=0.2)
        record = sample(bench, node.pids().values())
        load.result()
    return functions_of_sample(record)


def sample(bench, pids):
    """Watches these processes for WATCHED_SECONDS; None where perf is missing or not allowed. Reading it costs: do that later."""
    if not shutil.which("perf"):
        return None
    file = f"{bench.directory}/perf.data"
    perf = bench.processes.start(["perf", "record", "-q", "-F", 499, "-p", ",".join(str(pid) for pid in pids), "-o", file,
                                  "--", "sleep", WATCHED_SECONDS], f"{bench.directory}/perf.out")
    return None if bench.processes.finish(perf, 60) else file


def functions_of_sample(file):
    if not file:
        return []
    report = subprocess.run(["perf", "report", "-i", file, "--stdio", "-q", "--no-children", "--sort", "comm,symbol"],
                            capture_output=True, text=True, check=False)
    return functions_in(report.stdout)
