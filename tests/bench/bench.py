"""./dev bench: measures what docs/benchmarks.md shows, each row beside what this machine allows, in one run."""
import argparse
import datetime
import json
import os
import pathlib
import signal
import sys
import time

import machine
import report
import rows
from context import Bench, Options
from figures import Result, median, newer
from load import ROOMS, VIEWERS, WARMUP
from processes import BenchError, say
from servers import MARIADB_SETTINGS

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("TIPFLOW_CACHE_DIR") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tipflow")

# Of the processors, in any run of a row: kernel threads take a few percent. More is told with the row.
OTHERS_MOST = 0.1


def parse(arguments):
    known = {row.NAME: row for row in rows.ALL + rows.ON_DEMAND}
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, epilog="Rows: " + "; ".join(
        f"{name}: {row.TITLE}" for name, row in known.items()))
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these (all but builds, watch and nodes)")
    parser.add_argument("--runs", type=int, default=5, help="of each, medians are shown (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the load generator (%(default)s)")
    parser.add_argument("--full", action="store_true", help="5 and 20 million tips where it is else 1 and 2; takes longer")
    parser.add_argument("--builds", action="store_true", help="how long builds take, too: some 15 minutes more")
    parser.add_argument("--report", action="store_true", help="write docs/benchmarks.md from all results there are")
    parser.add_argument("--report-only", action="store_true", help="measure nothing, only write it again")
    parser.add_argument("--results", type=pathlib.Path, default=CACHE / "bench" / "results.json",
                        help="where results are kept, row by row (%(default)s)")
    parser.add_argument("--published", type=pathlib.Path, default=ROOT / "docs" / "benchmarks.json",
                        help="results of the document; it keeps rows that were not measured since (%(default)s)")
    parser.add_argument("--document", type=pathlib.Path, default=ROOT / "docs" / "benchmarks.md",
                        help="what --report writes (%(default)s)")
    parser.add_argument("--programs", default=ROOT / "build" / "release", metavar="DIRECTORY",
                        help="where tipflow and tipflow_ceilings are (%(default)s, built before)")
    parser.add_argument("--directory", help="where databases are put; a disk, not memory (the system's temporary one)")
    parser.add_argument("--lock", help="a file whose lock is held while something is measured, for others to wait")
    options = parser.parse_args(arguments)
    for name in options.rows:
        if name not in known:
            parser.error(f"there is no row '{name}': {', '.join(known)}")
    if options.runs < 1 or options.seconds < 1 or options.threads < 1:
        parser.error("--runs, --seconds and --threads are at least 1")
    chosen = [known[name] for name in options.rows] or list(rows.ALL)
    if options.builds and rows.builds not in chosen:
        chosen.append(rows.builds)
    return options, chosen


def read_results(path):
    """Results by row name, in the order of the rows."""
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {row.NAME: Result.from_json(kept[row.NAME]) for row in rows.ALL + rows.ON_DEMAND if row.NAME in kept}


def keep_result(path, result):
    """Each row as soon as it is there: what was measured is not lost when a later one fails."""
    write_results(path, read_results(path) | {result.name: result})


def write_results(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({name: one.to_json() for name, one in results.items()}, indent=1, ensure_ascii=False),
                      encoding="utf-8")
    beside.replace(path)


def setting_of(bench):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.machine(bench.directory),
        "versions": machine.versions(bench),
        "settings": {
            "MariaDB's settings": " ".join(MARIADB_SETTINGS) + ", both databases on one server",
            "node": "one process, all roles, signed requests required, log to a file, otherwise the defaults",
            "load": f"`tipflow load` on the same machine, keep-alive, every request signed; {ROOMS} rooms, {VIEWERS} viewers "
                    f"unless it says otherwise; {WARMUP} s of warm-up before each measurement",
        },
        "runs": bench.options.runs, "seconds": bench.options.seconds, "threads": bench.options.threads,
        "full": bench.options.full,
    }


def minutes(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def measure(options, chosen):
    estimate = sum(row.estimate(Options.of(options)) for row in chosen)
    say(f"==> {len(chosen)} rows, {options.runs} runs of {options.seconds:g} s: about {minutes(estimate)}")
    with Bench(Options.of(options), options.programs, ROOT, options.lock, options.directory) as bench:
        setting = setting_of(bench)
        for row in chosen:
            started = time.monotonic()
            say(f"==> {row.NAME}: {row.TITLE} (about {minutes(row.estimate(bench.options))})")
            bench.others.clear()
            result = row.measure(bench)
            result.setting = setting
            if max(bench.others, default=0) > OTHERS_MOST:
                result.remarks.append(f"**Not alone**: other processes used up to {max(bench.others):.0%} of the processors "
                                      f"(median {median(bench.others):.0%}) while this was measured.")
            keep_result(options.results, result)
            print(f"{row.TITLE}\n{report.plain(result)}", flush=True)
            say(f"    took {minutes(time.monotonic() - started)}")
    say(f"==> Results are in {options.results}")


def write_document(options):
    found = newer(read_results(options.published), read_results(options.results))
    if not found:
        raise BenchError(f"there are no results in {options.results}: run ./dev bench first")
    results = {row.NAME: found[row.NAME] for row in rows.ALL + rows.ON_DEMAND if row.NAME in found}
    write_results(options.published, results)
    notes = ROOT / "docs" / "benchmarks.notes.md"
    text = notes.read_text(encoding="utf-8") if notes.exists() else ""
    options.document.write_text(report.document(list(results.values()), report.notes_of(text)), encoding="utf-8")
    say(f"==> Written: {options.document}, {options.published}")


def interrupted(*_):
    raise KeyboardInterrupt


def main(arguments):
    options, chosen = parse(arguments)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, interrupted)
    try:
        if not options.report_only:
            measure(options, chosen)
        if options.report or options.report_only:
            write_document(options)
    except BenchError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; everything that was started has ended")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
