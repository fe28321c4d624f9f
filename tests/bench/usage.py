"""Who used the processors in a given stretch of time: /proc/PID/stat, its threads, /proc/stat."""
import bisect
import dataclasses
import os
import threading
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")
EVERY = 0.2


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def stat_of(text):
    """(name, CPU seconds) of a line of /proc/PID/stat; the name may hold spaces and brackets."""
    fields = text[text.rindex(")") + 2:].split()
    return text[text.index("(") + 1:text.rindex(")")], (int(fields[11]) + int(fields[12])) * TICK


def machine_seconds(text):
    """Busy, idle and stolen seconds of all processors, from the first line of /proc/stat."""
    user, nice, system, idle, waiting, irq, soft, stolen = map(int, text.split(maxsplit=9)[1:9])
    return {"busy": (user + nice + system + irq + soft) * TICK, "idle": (idle + waiting) * TICK,
            "stolen": stolen * TICK}


def threads_of(pid):
    """CPU seconds by thread name."""
    seconds = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            name, used = stat_of(read(f"/proc/{pid}/task/{task}/stat"))
        except (FileNotFoundError, ProcessLookupError):
            continue
        seconds[name] = seconds.get(name, 0) + used
    return seconds


def snapshot(pids, threads_of_process):
    """Everything cumulative at one instant, by (kind, name). A process that has ended is left out."""
    now = {("machine", name): value for name, value in machine_seconds(read("/proc/stat")).items()}
    for name, pid in pids.items():
        try:
            now["process", name] = stat_of(read(f"/proc/{pid}/stat"))[1]
            if name == threads_of_process:
                now.update({("thread", thread): used for thread, used in threads_of(pid).items()})
        except (FileNotFoundError, ProcessLookupError):
            continue
    return now


def value_at(samples, key, instant):
    """Between two samples on a straight line; the last known value beyond them. 0 when never seen."""
    known = [(at, values[key]) for at, values in samples if key in values]
    if not known:
        return 0
    place = bisect.bisect_left(known, (instant,))
    if place == 0:
        return known[0][1]
    if place == len(known):
        return known[-1][1]
    (before, low), (after, high) = known[place - 1], known[place]
    return low + (high - low) * (instant - before) / (after - before)


@dataclasses.dataclass
class Usage:
    """CPU seconds within a window."""
    seconds: float
    processes: dict
    threads: dict
    machine: dict

    def total(self):
        return sum(self.processes.values())

    def others_seconds(self):
        """Busy, and none of ours: the kernel's own threads, and whatever else runs on this machine."""
        return max(0, self.machine["busy"] - self.total())

    def others(self):
        """Their part of all processors' time, with what the host kept for itself."""
        whole = sum(self.machine.values())
        return (self.others_seconds() + self.machine["stolen"]) / whole if whole else 0

    def split(self, tips):
        """Microseconds a tip: each process, what else was busy, what was idle or stolen."""
        parts = dict(self.processes)
        parts["other"] = self.others_seconds()
        parts["idle"] = self.machine["idle"]
        if self.machine["stolen"] >= 0.01 * self.seconds:
            parts["stolen"] = self.machine["stolen"]
        return {name: 1e6 * used / max(1, tips) for name, used in parts.items()}


class Sampler:
    """with Sampler({"node": pid}, threads_of_process="node") as sampler: ...; sampler.usage(from, until)"""

    def __init__(self, pids, threads_of_process="node"):
        self.pids = pids
        self.threads_of_process = threads_of_process
        self.samples = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)

    def sample(self):
        while True:
            self.samples.append((time.time(), snapshot(self.pids, self.threads_of_process)))
            if self.ended.wait(EVERY):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def usage(self, start, end):
        keys = {key for _, values in self.samples for key in values}
        used = {"process": {}, "thread": {}, "machine": {}}
        for kind, name in sorted(keys):
            key = kind, name
            used[kind][name] = max(0, value_at(self.samples, key, end) - value_at(self.samples, key, start))
        return Usage(end - start, used["process"], used["thread"], used["machine"])
