#!/usr/bin/env python3
"""The tables of settings in docs/operations/configuration.md, from what `tipflow config` prints.

config_docs.py BINARY           writes them anew
config_docs.py BINARY --check   exit 1 when they are not what they should be
"""
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/operations/configuration.md"
BEGIN, END = "<!-- settings -->\n", "<!-- end of settings -->\n"
# Settings by what stands before their dot; those without a dot come first.
SECTIONS = [("", "Node"), ("http", "HTTP"), ("db1 db2 db", "Databases"), ("redis consul cluster", "Cluster"), ("edge", "Edge"),
            ("security", "Security"), ("limits", "Limits"), ("policy", "Policy"), ("audience", "Tips"), ("anchor room", "Rooms"), ("finance", "Money"),
            ("jobs", "Jobs"), ("log trace records", "Log, traces, their collection"), ("alerts", "Alerts")]


def settings(binary):
    text = subprocess.run([binary, "config"], check=True, capture_output=True, text=True).stdout
    entry = re.compile(r"^(\S+) +(TIPFLOW_\S+)\n    (.*)\n    default: (.*)$", re.MULTILINE)
    found = entry.findall(text)
    if len(found) != len(re.findall(r"^    default: ", text, re.MULTILINE)):
        raise SystemExit("an entry of `tipflow config` was not understood")
    return found


def row(entry):
    name, variable, meaning, default = entry
    if default.endswith("; can be changed at run time"):
        default = default.removesuffix("; can be changed at run time")
        meaning += " (can be changed at run time)"
    value, bounds = re.fullmatch(r"(.*?)(?: \((\S+ to \S+)\))?", default).groups()
    shown = value.strip('"')
    cells = [f"`{name}`", f"`{variable}`", meaning.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;"), f"`{shown}`" if shown else "", bounds or ""]
    return "| " + " | ".join(cells) + " |"


def tables(found):
    lines, told = [], set()
    for prefixes, title in SECTIONS:
        wanted = prefixes.split() or [""]
        rows = [e for e in found if (e[0].split(".")[0] if "." in e[0] else "") in wanted]
        told.update(rows)
        if not rows:
            continue
        lines += [f"### {title}", "", "| setting | variable | meaning | default | bounds |", "| --- | --- | --- | --- | --- |"]
        lines += [row(entry) for entry in rows] + [""]
    left = [entry[0] for entry in found if entry not in told]
    if left:
        raise SystemExit(f"no section for: {', '.join(left)}")
    return "\n".join(lines) + "\n"


def main(binary, *options):
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    wanted = before + BEGIN + "\n" + tables(settings(binary)) + END + after
    if "--check" in options:
        if page != wanted:
            raise SystemExit(f"{PAGE.name} is not what `tipflow config` prints: tools/config_docs.py {binary}")
        return
    PAGE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
