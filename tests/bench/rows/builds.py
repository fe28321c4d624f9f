"""How long a build takes: everything from nothing, and after a change of one file. No compiler cache."""
import os
import shutil
import subprocess
import time

from figures import Figure, Result

NAME = "builds"
TITLE = "Builds"
CHANGED = "src/finance/rules.cc"
TARGET = "tipflow"


def estimate(_):
    return 900


def timed(bench, command):
    started = time.monotonic()
    bench.processes.run(command, f"{bench.directory}/build.out", 3_600,
                        {"CCACHE_DISABLE": "1", "CMAKE_BUILD_PARALLEL_LEVEL": str(bench.cores)})
    return time.monotonic() - started


def copy_of_sources(bench):
    source = f"{bench.directory}/source"
    files = subprocess.run(["git", "-C", bench.root, "ls-files", "-co", "--exclude-standard", "-z"],
                           capture_output=True, text=True, check=True).stdout
    for file in filter(None, files.split("\0")):
        if os.path.isfile(f"{bench.root}/{file}"):
            os.makedirs(os.path.dirname(f"{source}/{file}"), exist_ok=True)
            shutil.copy2(f"{bench.root}/{file}", f"{source}/{file}")
    return source


def measure(bench):
    cold = Figure("cold build of the binary, third-party libraries built before", "s")
    warm = Figure(f"warm build after a change of {CHANGED}", "s")
    source = copy_of_sources(bench)
    build = ["cmake", "--build", f"{source}/build/release", "--target", TARGET]
    with bench.lock.held():
        timed(bench, ["cmake", "-S", source, "--preset", "release"])
        cold.add(timed(bench, build))
    for number in bench.runs():
        with open(f"{source}/{CHANGED}", "a", encoding="utf-8") as file:
            file.write(f"// {number}\n")
        with bench.lock.held():
            warm.add(timed(bench, build))
    return Result(NAME, TITLE, [cold, warm], remarks=["Without a compiler cache; the cold build once."])
