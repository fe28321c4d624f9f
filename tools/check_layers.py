"""Checks the layers of ARCHITECTURE.md: who may include whom. Exit 1 with every include that may not be."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent / "src"
roles = {"anchor", "audience", "finance", "analysis", "room", "mock", "console"}
# Pure files: rules and protocol cores, and the types they are written in.
pure = {
    "audience/lane", "audience/pusher", "audience/tip", "audience/viewer_card", "anchor/rules", "audience/rules", "audience/leaderboard", "finance/rules",
    "finance/ledger", "finance/ledger_receiver", "finance/withdrawal", "audit/books", "audit/outcomes", "audit/sums",
    "platform/schedule/lease", "edge/rules", "platform/conditions",
}
# What a role shows to the others; everything else of it is its own.
shown = {f"{role}/client.h" for role in roles} | {"finance/ledger.h"}
include = re.compile(r'^\s*#include "([^"]+)"', re.M)
faults = []


def allowed(file: str, target: str) -> bool:
    folder, other = file.split("/")[0], target.split("/")[0]
    if other == folder or other == "base":
        return True
    if folder == "base":
        return False
    stem = re.sub(r"\.(h|cc)$", "", file).removesuffix("_test")
    if stem in pure:
        # audience's rules judge by what an anchor's room is: types of the client header.
        return target in shown
    if folder == "platform":
        return False
    if folder == "app":
        return True
    if other == "platform":
        return True
    return folder in roles and target in shown


for path in sorted(root.rglob("*.[hc]*")):
    file = path.relative_to(root).as_posix()
    for target in include.findall(path.read_text(encoding="utf-8")):
        if (root / target).exists() and not allowed(file, target):
            faults.append(f"src/{file} includes {target}")
    if file in {p + e for p in pure for e in (".h", ".cc")}:
        for header in re.findall(r"^\s*#include <(drogon|trantor|mysql|sqlite3|thread|mutex)", path.read_text(), re.M):
            faults.append(f"src/{file} is a pure file and includes <{header}…>")
print("\n".join(faults) if faults else "layers hold")
sys.exit(1 if faults else 0)
