"""What analysis makes of the ledger: catching up, a portrait round, and what its queries take."""
import datetime
import http.client
import json
import time

from figures import Figure, Result, percentile
from processes import BenchError, say, wait_for

NAME = "analysis"
TITLE = "Analysis: catch-up, portrait rounds and queries over 90 days, MariaDB"

ANCHORS, VIEWERS, DAYS = 100, 300_000, 90
LANES = 4
LANE = 1 << 33
AT_ONCE = 500_000
ASKED = 20  # times each query

CUBE = """SELECT COUNT(*) FROM (SELECT accepted_at - accepted_at % 3600000000 AS hour, anchor_id, anchor_gender,
  viewer_gender, SUM(amount), COUNT(*) FROM ledger GROUP BY 1, 2, 3, 4) cells"""
TOTALS = """SELECT COUNT(*) FROM (SELECT viewer_id, SUM(amount), COUNT(*), MIN(accepted_at), MAX(accepted_at)
  FROM ledger GROUP BY viewer_id) totals"""
RANKED = """CREATE TABLE ranked AS SELECT viewer_id, total, tips, RANK() OVER (ORDER BY total DESC) AS place
  FROM viewer_total ORDER BY viewer_id"""


def sizes(options):
    return options.size((10_000_000, 100_000_000), (1_000_000, 10_000_000))


def estimate(options):
    small, large = sizes(options)
    return options.runs * (small + large) / 70_000 + 60


def start_of_tips():
    """A UTC midnight such that the tips end yesterday."""
    today = int(time.time()) // 86_400
    return (today - DAYS - 1) * 86_400


def fill_ledger(pair, tips):
    """Tips as a busy quarter leaves them: in order of time, viewers by a power law, the same in each run."""
    each = tips // LANES
    for lane in range(1, LANES + 1):
        for first in range(1, each + 1, AT_ONCE):
            last = min(each, first + AT_ONCE - 1)
            pair.rows(2, f"""INSERT INTO ledger (tip_id, anchor_id, viewer_id, amount, share_bp, anchor_units, anchor_gender,
                viewer_gender, accepted_at)
              SELECT {lane * LANE} + seq, anchor, viewer, amount, 5000, amount * 5000, anchor % 3, viewer % 3, at FROM (
                SELECT seq, 1 + CRC32(seq * 8 + {lane}) % {ANCHORS} AS anchor,
                  1 + FLOOR({VIEWERS} * POW(CRC32(seq * 64 + {lane} + 7) / 4294967296, 1.5)) AS viewer,
                  1 + CRC32(seq * 32 + {lane} + 3) % 20000 AS amount,
                  {start_of_tips() * 1_000_000} + seq * {DAYS * 86_400 * 1_000_000 // (each + 1)} AS at
                FROM seq_{first}_to_{last}) made""")
        pair.rows(2, f"INSERT INTO sync_cursor SELECT {lane}, {each}, SUM(amount) FROM ledger "
                     f"WHERE tip_id > {lane * LANE} AND tip_id < {(lane + 1) * LANE}")


def seconds_of(pair, sql):
    started = time.monotonic()
    pair.rows(2, sql)
    return time.monotonic() - started


def counted(pair):
    return int(pair.rows(2, "SELECT COALESCE(SUM(last_seq), 0) FROM analysis_progress")[0][0])


def catch_up_rate(pair, tips):
    """Tips a second, from when the first chunk is seen counted: the hourly job and the first round count by turns."""
    wait_for(lambda: counted(pair) > 0, 120, "the first tips counted", every=0.02)
    started, before = time.monotonic(), counted(pair)
    wait_for(lambda: counted(pair) >= tips, 1_200, f"the catch-up of {tips:,} tips", every=0.05)
    return (tips - before) / (time.monotonic() - started)


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def questions():
    start, end = instant(start_of_tips()), instant(start_of_tips() + DAYS * 86_400)
    within = instant(start_of_tips() + 5 * 3_600), instant(start_of_tips() + DAYS * 86_400 - 7 * 3_600)
    spans = f"from={start}&to={end}"
    cut = f"from={within[0]}&to={within[1]}"
    return [
        f"/hourly?{spans}&groupBy=hour", f"/hourly?{cut}&groupBy=hour,anchorGender,viewerGender",
        f"/hourly?{cut}&groupBy=anchor", f"/hourly?{cut}&groupBy=anchor,viewerGender&anchorGender=female",
        f"/hourly?{spans}&groupBy=hour,viewerGender&anchorId=7", f"/hourly?{spans}&groupBy=&viewerGender=male",
        f"/metrics?{spans}", f"/anchors/ranking?{cut}", f"/anchors/7/summary?{cut}", f"/heatmap?{spans}",
        f"/heatmap?{spans}&anchorId=7", f"/retention?{spans}", f"/trend?{spans}&step=day", f"/trend?{spans}&step=hour",
        "/tiers", "/viewers/4711/portrait",
    ]


def ask_all(node):
    """Milliseconds of each query, by query."""
    token = node.operator_token()
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    times = {}
    for question in questions():
        for _ in range(ASKED):
            started = time.monotonic()
            status, body = node.request("GET", f"/api/v1/analysis{question}", token=token, connection=connection)
            times.setdefault(question, []).append(1e3 * (time.monotonic() - started))
            if status != 200:
                raise BenchError(f"{question} was answered {status}: {body[:200]}")
    return times


def check_total(node, pair):
    """A fast wrong sum is no figure."""
    spans = f"from={instant(start_of_tips())}&to={instant(start_of_tips() + (DAYS + 1) * 86_400)}"
    _, body = node.request("GET", f"/api/v1/analysis/hourly?{spans}&groupBy=", token=node.operator_token())
    total = json.loads(body)["total"]
    tips, amount = pair.rows(2, "SELECT COUNT(*), SUM(amount) FROM ledger")[0]
    if total != {"amount": int(amount), "tips": int(tips)}:
        raise BenchError(f"the cube says {total}, the ledger {tips} tips of {amount} fen")


def run_once(bench, tips):
    """(tips a second, of GROUP BY; seconds of a round, of ranking alone; times of queries)."""
    pair = bench.pair(NAME)
    settings = {"TIPFLOW_JOBS_HOURLY_SECONDS": "1", "TIPFLOW_JOBS_ROUND_SECONDS": "864000"}
    bench.node(pair, roles="finance,console").stop()  # makes the tables
    with bench.lock.held():
        fill_ledger(pair, tips)
    with bench.lock.held():
        grouped = seconds_of(pair, CUBE) + seconds_of(pair, TOTALS)
        node = bench.node(pair, roles="finance,analysis,console", settings=settings)
        rate = catch_up_rate(pair, tips)
        published = "SELECT published_at - started_at FROM portrait_round WHERE published_at IS NOT NULL"
        wait_for(lambda: pair.rows(2, published), 120, "the first round", every=0.2)
        round_seconds = run_round(node, pair)
        ranked = seconds_of(pair, RANKED)
        check_total(node, pair)
        times = ask_all(node)
        say(f"      {tips:,} tips: {rate:,.0f}/s (GROUP BY {tips / grouped:,.0f}/s), a round {round_seconds:.2f} s")
        for question, took in sorted(times.items(), key=lambda item: -max(item[1]))[:3]:
            say(f"      {max(took):.0f} ms at most: {question}")
        node.stop()
        node.discard()
    return rate, tips / grouped, round_seconds, ranked, [took for one in times.values() for took in one]


def run_round(node, pair):
    """Seconds of a round that finds the sums up to date."""
    before = int(pair.rows(2, "SELECT MAX(round) FROM portrait_round")[0][0])
    pair.rows(2, "UPDATE job SET asked_at = 1 WHERE name = 'portrait_round'")
    took = f"SELECT published_at - started_at FROM portrait_round WHERE round > {before} AND published_at IS NOT NULL"
    wait_for(lambda: pair.rows(2, took), 120, "a round", every=0.1)
    return int(pair.rows(2, took)[0][0]) / 1e6


def measure(bench):
    small, large = sizes(bench.options)
    rate = Figure(f"cube, totals and payers catch up with {large:,} tips", "tips/s", at_least=300_000,
                  ceiling_what="SELECT … GROUP BY over the same rows, for cells and for viewers")
    portraits = Figure(f"a portrait round, {VIEWERS:,} viewers", "s", below=5,
                       ceiling_what="CREATE TABLE … SELECT RANK() over the totals")
    queries = Figure(f"any query over {DAYS} days, p99, {large:,} tips", "ms", below=100, ceiling_what=f"{small:,} tips")
    result = Result(NAME, TITLE, [rate, portraits, queries],
                    [Figure(f"cube, totals and payers catch up with {small:,} tips", "tips/s")])
    for _ in bench.runs():
        few = run_once(bench, small)
        many = run_once(bench, large)
        rate.add(many[0], many[1])
        portraits.add(many[2], many[3])
        queries.add(percentile(many[4], 99), percentile(few[4], 99))
        result.other_size[0].add(few[0])
    result.remarks.append(f"{ANCHORS} anchors, {VIEWERS:,} viewers by a power law, {LANES} lanes. The ledger's rows are made by the "
                          f"database; {len(questions())} queries, each {ASKED} times on one connection, as the client sees them.")
    return result
