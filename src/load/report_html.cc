#include "load/report_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "load/chart.h"
#include "load/report.h"

namespace tipflow::load {
namespace {

// More points than pixels are of no use: longer runs are shown by stretches.
constexpr std::size_t kRowsShown = 300;

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1d2430;--faint:#5d6877;--edge:#dfe3e9;
--grid:#e8ebf0;--a:#2563c9;--b:#c2410c;--c:#7c3aad;--d:#0f7b6c;--good:#137a4b;--bad:#b3261e;--goodBack:#e3f4ea;--badBack:#fbe6e4}
@media(prefers-color-scheme:dark){:root{--page:#12161c;--card:#1a2029;--text:#e4e8ee;--faint:#98a4b3;--edge:#2c3541;
--grid:#28303b;--a:#6ea8ff;--b:#ff9a5c;--c:#c79bff;--d:#4fd1bd;--good:#5fd39a;--bad:#ff8a80;--goodBack:#16352a;--badBack:#41211f}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1240px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:24px;margin:0 0 2px}h2{font-size:17px;margin:0 0 4px}
header p,.note{color:var(--faint);margin:2px 0 12px;max-width:80ch}
.verdict{display:inline-block;padding:4px 12px;border-radius:999px;font-weight:600;margin:10px 0 4px}
.good{color:var(--good);background:var(--goodBack)}.bad{color:var(--bad);background:var(--badBack)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:16px 0 20px}
.tile,section{background:var(--card);border:1px solid var(--edge);border-radius:10px}
.tile{padding:12px 14px}.tile b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.tile span{color:var(--faint);font-size:13px}
section{padding:18px 20px;margin:0 0 18px}
.pair{display:grid;grid-template-columns:minmax(0,2fr) minmax(310px,1fr);gap:20px;align-items:start}
@media(max-width:860px){.pair{grid-template-columns:minmax(0,1fr)}.tiles{grid-template-columns:repeat(2,1fr)}}
svg{width:100%;height:auto;display:block}
.grid{stroke:var(--grid)}.tick{fill:var(--faint);font-size:12px}.axis{fill:var(--faint);font-size:12px}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:6 5}
.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}.line.c{stroke:var(--c)}.line.d{stroke:var(--d)}
.legend{margin:4px 0 0;padding-left:60px;color:var(--faint);font-size:13px}.legend span{margin-right:18px;white-space:nowrap}
.key{display:inline-block;width:18px;border-top:3px solid;vertical-align:middle;margin-right:6px}.key.dashed{border-top-style:dashed}
.key.a{color:var(--a)}.key.b{color:var(--b)}.key.c{color:var(--c)}.key.d{color:var(--d)}
.scroll{max-height:330px;overflow:auto;border:1px solid var(--edge);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:5px 7px;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
th:first-child,td:first-child{text-align:left}td.wide{white-space:normal;text-align:left;overflow-wrap:anywhere}
thead th{position:sticky;top:0;background:var(--card);color:var(--faint);font-weight:600}
tr:last-child td{border-bottom:0}
.bars{display:grid;grid-template-columns:max-content 1fr max-content;gap:8px 12px;align-items:center;font-variant-numeric:tabular-nums}
.bar{height:16px;border-radius:4px;background:var(--a);min-width:3px}.bar.failed{background:var(--b)}
.empty{color:var(--faint)}
)css";

std::string ms(double value) {
  return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}
std::string rounded(double value) { return grouped(static_cast<std::uint64_t>(value + 0.5)); }
std::string shown(const std::optional<double>& value, std::string (*how)(double)) {
  return value ? how(*value) : "–";
}

std::string row(const std::vector<std::string>& cells, std::string_view tag = "td") {
  std::string text = "<tr>";
  for (const auto& cell : cells) text += fmt::format("<{0}>{1}</{0}>", tag, cell);
  return text + "</tr>";
}

std::string table(const std::vector<std::string>& head,
                  const std::vector<std::vector<std::string>>& rows) {
  std::string text = R"(<div class="scroll" tabindex="0"><table><thead>)";
  text += row(head, "th") + "</thead><tbody>";
  for (const auto& cells : rows) text += row(cells);
  return text + "</tbody></table></div>";
}

std::string section(std::string_view title, std::string_view note, const std::string& left,
                    const std::string& right) {
  return fmt::format(
      R"(<section><h2>{}</h2><p class="note">{}</p><div class="pair"><div>{}</div><div>{}</div></div></section>)",
      title, note, left, right);
}

// The series by stretches of equal length: rates are means, times the worst of their stretch.
std::vector<SeriesRow> stretches(const std::deque<SeriesRow>& rows) {
  const auto each = (rows.size() + kRowsShown - 1) / std::max<std::size_t>(kRowsShown, 1);
  std::vector<SeriesRow> result;
  for (std::size_t at = 0; at < rows.size(); at += each) {
    const auto end = std::min(rows.size(), at + each);
    SeriesRow sum{.atSeconds = rows[end - 1].atSeconds};
    const auto count = static_cast<double>(end - at);
    for (auto i = at; i < end; ++i) {
      const auto& one = rows[i];
      sum.perSecond += one.perSecond / count;
      sum.errorsPerSecond += one.errorsPerSecond / count;
      if (one.intendedPerSecond) {
        sum.intendedPerSecond = sum.intendedPerSecond.value_or(0) + *one.intendedPerSecond / count;
      }
      sum.p50Ms = std::max(sum.p50Ms, one.p50Ms);
      sum.p99Ms = std::max(sum.p99Ms, one.p99Ms);
      sum.maxMs = std::max(sum.maxMs, one.maxMs);
      sum.serviceP99Ms = std::max(sum.serviceP99Ms, one.serviceP99Ms);
      sum.droppedStarts += one.droppedStarts;
    }
    result.push_back(sum);
  }
  return result;
}

using Figure = std::function<std::optional<double>(const SeriesRow&)>;

Line lineOf(const std::vector<SeriesRow>& rows, std::string name, std::string style,
            const Figure& figure, bool dashed = false) {
  Line line{.name = std::move(name), .style = std::move(style), .points = {}, .dashed = dashed};
  for (const auto& one : rows) {
    if (const auto value = figure(one)) line.points.push_back({one.atSeconds, *value});
  }
  return line;
}

std::string rateSection(const std::vector<SeriesRow>& rows) {
  Chart chart{.title = "Tips a second over time",
              .xTitle = "seconds from the start",
              .yTitle = "a second",
              .lines = {}};
  auto intended = lineOf(
      rows, "intended starts", "d", [](const auto& one) { return one.intendedPerSecond; }, true);
  if (!intended.points.empty()) chart.lines.push_back(std::move(intended));
  chart.lines.push_back(lineOf(rows, "acknowledged tips", "a",
                               [](const auto& one) { return std::optional(one.perSecond); }));
  chart.lines.push_back(lineOf(rows, "errors", "b",
                               [](const auto& one) { return std::optional(one.errorsPerSecond); }));
  std::vector<std::vector<std::string>> cells;
  for (const auto& one : rows) {
    cells.push_back({fmt::format("{:.1f}", one.atSeconds), shown(one.intendedPerSecond, rounded),
                     rounded(one.perSecond), rounded(one.errorsPerSecond),
                     grouped(one.droppedStarts)});
  }
  return section("Rate over time",
                 "Acknowledged tips, repeats included, beside what was intended. An error is a "
                 "request without a 2xx; its tip is sent again until its outcome is known.",
                 draw(chart), table({"s", "intended/s", "tips/s", "errors/s", "dropped"}, cells));
}

std::string latencySection(const std::vector<SeriesRow>& rows, std::string_view from) {
  const Chart chart{.title = "Latency over time",
                    .xTitle = "seconds from the start",
                    .yTitle = "ms",
                    .lines = {lineOf(rows, "max", "b", [](const auto& one) { return one.maxMs; }),
                              lineOf(rows, "p99", "a", [](const auto& one) { return one.p99Ms; }),
                              lineOf(rows, "p50", "d", [](const auto& one) { return one.p50Ms; }),
                              lineOf(
                                  rows, "p99 of the service time", "c",
                                  [](const auto& one) { return one.serviceP99Ms; }, true)},
                    .logarithmic = true};
  std::vector<std::vector<std::string>> cells;
  for (const auto& one : rows) {
    cells.push_back({fmt::format("{:.1f}", one.atSeconds), shown(one.p50Ms, ms),
                     shown(one.p99Ms, ms), shown(one.maxMs, ms), shown(one.serviceP99Ms, ms)});
  }
  return section("Latency over time",
                 fmt::format("Of acknowledged tips, from the {}, by the second of their answer. "
                             "The scale is logarithmic.",
                             from),
                 draw(chart), table({"s", "p50", "p99", "max", "service p99"}, cells));
}

std::string curveSection(const Tally& tally, std::string_view from) {
  const auto place = [](double percent) { return -std::log10(std::max(1e-9, 100 - percent)) + 2; };
  const auto line = [&](const Histogram& times, std::string name, std::string style, bool dashed) {
    Line one{.name = std::move(name), .style = std::move(style), .points = {}, .dashed = dashed};
    for (const auto& [percent, value] : percentileCurve(times)) {
      if (percent < 100) one.points.push_back({place(percent), value});
    }
    return one;
  };
  Chart chart{.title = "Latency by percentile",
              .xTitle = "percent of the tips that were at most this slow",
              .yTitle = "ms",
              .lines = {line(tally.latency, fmt::format("from the {}", from), "a", false),
                        line(tally.service, "service time", "c", true)},
              .logarithmic = true};
  for (const auto& [percent, label] : {std::pair{0.0, "0"},
                                       {50.0, "50"},
                                       {90.0, "90"},
                                       {99.0, "99"},
                                       {99.9, "99.9"},
                                       {99.99, "99.99"},
                                       {99.999, "99.999"},
                                       {99.9999, "99.9999"}}) {
    chart.xTicks.push_back({place(percent), label});
  }
  std::vector<std::vector<std::string>> cells;
  const auto add = [&](std::string name, double percent) {
    cells.push_back({std::move(name), ms(inMs(tally.latency.percentile(percent))),
                     ms(inMs(tally.service.percentile(percent)))});
  };
  for (const auto& [percent, _, name] : kPercentiles) add(std::string(name), percent);
  add("max", 100);
  return section(
      "Latency by percentile",
      "Where the curves part, requests waited before they were sent: the service time alone, as a "
      "closed loop measures it, would have hidden that (coordinated omission).",
      draw(chart), table({"", "latency, ms", "service, ms"}, cells));
}

std::string outcomeSection(const RunSummary& summary) {
  const auto& tally = summary.tally;
  struct Outcome {
    std::string_view name;
    std::uint64_t count;
    bool failed;
  };
  const std::vector<Outcome> outcomes{
      {"created", tally.created, false},        {"exists", tally.exists, false},
      {"conflict", tally.conflicts, true},      {"refused", tally.rejected, true},
      {"unavailable", tally.unavailable, true}, {"unknown", tally.unknown, true},
      {"left open", summary.open, true},        {"dropped starts", tally.dropped, true}};
  std::uint64_t most = 1;
  for (const auto& one : outcomes) most = std::max(most, one.count);
  std::string bars = R"(<div class="bars">)";
  for (const auto& one : outcomes) {
    const double part = 100 * static_cast<double>(one.count) / static_cast<double>(most);
    bars += fmt::format("<span>{}</span><div>{}</div><span>{}</span>", one.name,
                        one.count == 0
                            ? ""
                            : fmt::format(R"(<div class="bar{}" style="width:{:.2f}%"></div>)",
                                          one.failed ? " failed" : "", part),
                        grouped(one.count));
  }
  std::vector<std::vector<std::string>> cells;
  for (const auto& [status, count] : tally.statuses) {
    cells.push_back({fmt::format("answers {}", status), grouped(count)});
  }
  for (const auto& [code, count] : tally.rejections)
    cells.push_back({escaped(code), grouped(count)});
  cells.push_back({"connections broken under a request", grouped(tally.broken)});
  cells.push_back(
      {"requests sent again: their connection was just being closed", grouped(tally.stale)});
  cells.push_back({"requests without an answer in time", grouped(tally.timedOut)});
  cells.push_back({"tips unknown at first, then resolved", grouped(tally.resolved)});
  cells.push_back({"late starts", grouped(tally.late)});
  return section("Outcomes", "How each tip, or repeat of one, ended; and what was met on the way.",
                 bars + "</div>", table({"requests", "count"}, cells));
}

std::string tile(std::string_view name, std::string_view value) {
  return fmt::format(R"(<div class="tile"><b>{}</b><span>{}</span></div>)", value, name);
}

std::string tiles(const RunSummary& summary) {
  const auto& tally = summary.tally;
  const auto percentile = [&](double percent) {
    return ms(inMs(tally.latency.percentile(percent))) + " ms";
  };
  return R"(<div class="tiles">)" + tile("tips a second", rounded(summary.tipsPerSecond())) +
         tile("p50", percentile(50)) + tile("p99", percentile(99)) +
         tile("p99.9", percentile(99.9)) +
         tile("tips acknowledged", grouped(tally.acknowledged())) +
         tile("requests in error", grouped(tally.errors())) +
         tile("starts dropped", grouped(tally.dropped)) +
         tile("CPU µs a request, generator",
              fmt::format("{:.1f}", summary.cost.usPerRequest(tally.sent))) +
         "</div>";
}

std::string facts(std::string_view title,
                  const std::vector<std::pair<std::string, std::string>>& rows) {
  auto text = fmt::format("<section><h2>{}</h2><table><tbody>", title);
  for (const auto& [name, value] : rows) {
    text += fmt::format(R"(<tr><td>{}</td><td class="wide">{}</td></tr>)", escaped(name),
                        escaped(value));
  }
  return text + "</tbody></table></section>";
}

std::string checkSection(const Settings& settings, const RunSummary& summary) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& verdict : verdicts(settings, summary)) {
    rows.emplace_back(verdict.holds ? "threshold holds" : "threshold FAILED", describe(verdict));
  }
  if (summary.findings) {
    const auto& found = *summary.findings;
    rows.emplace_back("looked up", fmt::format("{} ({})", grouped(found.lookedUp()),
                                               verifyName(summary.verified)));
    rows.emplace_back("there", grouped(found.there));
    rows.emplace_back("missing, different, not checked",
                      fmt::format("{}, {}, {}", grouped(found.missing), grouped(found.different),
                                  grouped(found.unchecked)));
    for (const auto& example : found.examples) rows.emplace_back("", example);
  }
  if (summary.sums) {
    rows.emplace_back("rooms", sentence("the rooms", summary.sums->rooms));
    if (summary.sums->books)
      rows.emplace_back("books", sentence("the books", *summary.sums->books));
  }
  if (rows.empty()) rows.emplace_back("not looked up", "--verify none");
  return facts("Checks", rows);
}

std::string settingsSection(const Settings& settings, const RunSummary& summary) {
  const auto& options = settings.options;
  const auto schedule = !settings.stages.empty() ? options.stages
                        : options.rate > 0       ? fmt::format("{:g} tips/s", options.rate)
                                                 : "closed loop, as fast as answers come";
  return facts(
      "Settings",
      {{"address", options.url},
       {"schedule", schedule},
       {"measured",
        fmt::format("{:.1f} s after {:g} s of warm-up",
                    static_cast<double>(summary.measuredUs) / 1e6, options.warmupSeconds)},
       {"requests", settings.inBatches()
                        ? fmt::format("batches of {}", settings.batch())
                        : std::string("one tip each") + (options.sign ? ", signed" : ", unsigned")},
       {"connections, threads", fmt::format("{}, {}", options.connections, options.threads)},
       {"rooms, viewers", fmt::format("{} (Zipf {:g}), {} (Zipf {:g})", options.rooms, options.zipf,
                                      options.viewers, options.zipfViewers)},
       {"sent twice", fmt::format("{:g} %", options.duplicates * 100)},
       {"seed", std::to_string(options.seed)},
       {"generator", fmt::format("{:.2f} cores, {:.1f} s user, {:.1f} s system, {:.0f} MiB",
                                 summary.cost.cores(), summary.cost.userSeconds,
                                 summary.cost.systemSeconds, summary.cost.memoryMiB)}});
}

std::string_view conclusion(int exitCode) {
  switch (exitCode) {
    case kLoadFine:
      return "All checks hold";
    case kLoadThreshold:
      return "The books are right; a threshold does not hold";
    default:
      return "Not fine: see the checks";
  }
}

}  // namespace

std::string reportHtml(const Settings& settings, const RunSummary& summary, int exitCode) {
  const auto rows = stretches(summary.series);
  const auto from = latencyFrom(settings);
  auto page = fmt::format(
      R"(<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>tipflow load, {0}</title><style>{1}</style></head><body><main><header><h1>tipflow load</h1><p>{0} · {2}</p><span class="verdict {3}">{4}</span></header>)",
      formatTime(summary.startedAt), kStyle, escaped(settings.options.url),
      exitCode == kLoadFine ? "good" : "bad", conclusion(exitCode));
  page += tiles(summary);
  page += rateSection(rows);
  page += latencySection(rows, from);
  page += curveSection(summary.tally, from);
  page += outcomeSection(summary);
  page += checkSection(settings, summary);
  page += settingsSection(settings, summary);
  return page + "</main></body></html>\n";
}

}  // namespace tipflow::load
