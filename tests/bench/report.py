"""Tables for people: on the terminal, and as docs/benchmarks.md with the hand-written notes put in their places."""
import re

ORDER_OF_PARTS = ("database", "node", "load generator", "other", "idle", "stolen")


def number(value):
    """Three digits that mean something: 31,400  124  8.25  0.412"""
    if value is None:
        return "—"
    digits = len(str(int(abs(value)))) - 3
    if digits >= 0 or abs(value) >= 999.5:
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def target(figure):
    parts = []
    if figure.at_least is not None:
        parts.append(f"≥ {number(figure.at_least)} {figure.unit}")
    if figure.below is not None:
        parts.append(f"< {number(figure.below)} {figure.unit}")
    if figure.ratio_at_least is not None:
        parts.append(f"≥ {number(figure.ratio_at_least)} of it")
    if figure.ratio_at_most is not None:
        parts.append(f"≤ {number(figure.ratio_at_most)} of it")
    return ", ".join(parts) or "—"


def reached(figure):
    return {True: "yes", False: "**no**", None: "—"}[figure.reached]


def latencies(figure):
    latency = figure.latency()
    return " / ".join(number(latency[name]) for name in ("p50", "p99", "p999")) if latency else "—"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def beside(figure):
    """What it is compared with, measured in the same minutes."""
    return f"{number(figure.ceiling)} ({figure.ceiling_what})" if figure.ceilings else "—"


def figure_table(figures):
    return table(["what", "to reach", "measured", "beside it, same run", "ratio", "p50 / p99 / p99.9 ms", "reached"],
                 [[one.what, target(one), f"{number(one.measured)} {one.unit}", beside(one), number(one.ratio),
                   latencies(one), reached(one)] for one in figures])


def other_table(figures):
    return table(["at another size", "measured", "beside it, same run", "ratio", "p50 / p99 / p99.9 ms"],
                 [[one.what, f"{number(one.measured)} {one.unit}", beside(one), number(one.ratio), latencies(one)]
                  for one in figures])


def plain(result):
    """For the terminal."""
    lines = []
    for one in result.figures + result.other_size:
        text = f"  {one.what}: {number(one.measured)} {one.unit}"
        if one.ceilings:
            text += f"; {one.ceiling_what}: {number(one.ceiling)}; ratio {number(one.ratio)}"
        if one.latencies:
            text += f"; p50/p99/p99.9 {latencies(one)} ms"
        if one.reached is not None:
            text += f"; to reach {target(one)}: {'yes' if one.reached else 'NO'}"
        lines.append(text)
    if result.split:
        lines.append("  µs a tip: " + ", ".join(f"{name} {number(used)}" for name, used in in_order(result.split)))
    return "\n".join(lines + [f"  {remark}" for remark in result.remarks])


def in_order(split):
    """Parts that only some rows have come first, the largest of them at the top."""
    own = sorted((name for name in split if name not in ORDER_OF_PARTS), key=lambda name: -split[name])
    names = own + [name for name in ORDER_OF_PARTS if name in split]
    return [(name, split[name]) for name in names]


def notes_of(text):
    """The hand-written notes by the name of their section: `## name`, up to the next."""
    parts = re.split(r"^## +(\S+) *$", text, flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2])}


def runs_table(figures):
    return table(["what", "each run", "beside it"],
                 [[one.what, ", ".join(map(number, one.runs)), ", ".join(map(number, one.ceilings)) or "—"]
                  for one in figures])


def time_section(result):
    parts = []
    if result.split:
        whole = sum(result.split.values())
        parts.append("Processor time a tip:\n\n" + table(
            ["", "µs", "part"], [[name, number(used), f"{used / whole:.0%}"] for name, used in in_order(result.split)]))
    if result.threads:
        threads = sorted(((name, used) for name, used in result.threads.items() if used >= 0.05), key=lambda one: -one[1])
        parts.append("Of the node, by thread: " + ", ".join(f"`{name}` {number(used)} µs" for name, used in threads) + ".")
    if result.functions:
        parts.append("Functions of node and database that took most of their time, in a run of its own:\n\n" + table(
            ["%", "thread", "function"],
            [[one["percent"], f"`{one['thread']}`", f"`{one['function'][:90]}`" + (" (kernel)" if one["kernel"] else "")]
             for one in result.functions]))
    return parts


def row_section(result, notes):
    setting = result.setting
    machine = setting["machine"]
    parts = [f"### {result.title}",
             f"Measured {setting['date']} on {machine['processor']} (synced writes: {machine['synced writes']}), "
             f"Tipflow {setting['versions'].get('Tipflow', '?')}, {setting['runs']} × {number(setting['seconds'])} s, threads of the load generator: {setting['threads']}. `./dev bench {result.name}{' --full' if setting.get('full') else ''}`"]
    if note := notes.get(result.name):
        parts.append(note)
    parts += result.remarks
    parts += time_section(result)
    parts.append(runs_table(result.figures + result.other_size))
    return "\n\n".join(parts)


def document(results, notes):
    """The whole of docs/benchmarks.md, from the results of all rows that were measured."""
    newest = max(results, key=lambda one: one.setting["date"]).setting
    facts = list(newest["machine"].items()) + list(newest["versions"].items()) + list(newest["settings"].items())
    parts = ["# Benchmarks",
             "Generated by `./dev bench --report`; comments come from [benchmarks.notes.md](benchmarks.notes.md). How to read "
             "and repeat it: [tests/bench/README.md](../tests/bench/README.md).",
             notes.get("general", ""),
             "## Machine and settings",
             "Of the row that was measured last. Rows come from several days and machines: each names its own, and its ceiling is of the same.",
             table(["", ""], [[name, value] for name, value in facts]),
             "## Figures",
             "Medians. *Beside it* is the ceiling, or what else the row is compared with, measured right before it in the "
             "same run; *ratio* is the median of the ratios within a pair. Latencies in an open loop count from the "
             "intended start, in a closed loop from the first sending.",
             figure_table([figure for one in results for figure in one.figures]),
             "## At another size", other_table([figure for one in results for figure in one.other_size]),
             "## Row by row"]
    parts += [row_section(one, notes) for one in results]
    return "\n\n".join(part for part in parts if part) + "\n"
