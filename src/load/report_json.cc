#include "load/report_json.h"

#include <cmath>

#include "load/json_writer.h"
#include "load/report.h"
#include "load/threshold.h"

namespace tipflow::load {
namespace {

void writeSettings(JsonWriter& json, const Settings& settings) {
  const auto& options = settings.options;
  json.open("settings", '{');
  json.member("url", options.url);
  json.member("perSecond", settings.stages.empty() ? std::optional(options.rate) : std::nullopt);
  json.open("stages", '[');
  for (const auto& stage : settings.stages) {
    json.open('{');
    json.member("seconds", stage.seconds);
    json.member("perSecond", stage.perSecond);
    json.close('}');
  }
  json.close(']');
  json.member("seconds", settings.seconds);
  json.member("warmupSeconds", options.warmupSeconds);
  json.member("tips", options.tips);
  json.member("batch", settings.batch());
  json.member("connections", options.connections);
  json.member("threads", options.threads);
  json.member("rooms", options.rooms);
  json.member("viewers", options.viewers);
  json.member("guestFraction", options.guestFraction);
  json.member("zipf", options.zipf);
  json.member("zipfViewers", options.zipfViewers);
  json.member("taste", options.taste);
  json.member("duplicates", options.duplicates);
  json.member("duplicatesWithinMs", options.duplicatesWithinSeconds * 1'000);
  json.member("dropAfterSeconds", options.dropAfterSeconds);
  json.member("sign", options.sign);
  json.member("seed", options.seed);
  json.member("traceIds", options.randomTraceIds ? "random" : "v7");
  json.member("verify", verifyName(options.verify));
  json.open("thresholds", '[');
  for (const auto& text : options.thresholds) json.value(text);
  json.close(']');
  json.close('}');
}

void writeThroughput(JsonWriter& json, const RunSummary& summary) {
  const auto& tally = summary.tally;
  const auto runSeconds = static_cast<double>(summary.runUs) / 1e6;
  json.open("throughput", '{');
  json.member("seconds", static_cast<double>(summary.measuredUs) / 1e6);
  json.member("tips", tally.measured - tally.measuredRepeats);
  json.member("repeats", tally.measuredRepeats);
  json.member("perSecond", summary.tipsPerSecond());
  json.member("withRepeatsPerSecond", summary.perSecond(tally.measured));
  json.member("requestsPerSecond",
              runSeconds > 0 ? static_cast<double>(tally.sent) / runSeconds : 0);
  json.close('}');
}

void writeTimes(JsonWriter& json, std::string_view name, std::string_view from,
                const Histogram& times) {
  json.open(name, '{');
  json.member("from", from);
  json.member("count", times.count());
  for (const auto& [percent, member, _] : kPercentiles) {
    json.member(member, inMs(times.percentile(percent)));
  }
  json.member("maxMs", inMs(times.max()));
  json.open("percentiles", '[');
  for (const auto& [percent, ms] : percentileCurve(times)) {
    json.open('{');
    json.member("percent", percent);
    json.member("ms", ms);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

template <class Counts>
void writeCounts(JsonWriter& json, std::string_view list, std::string_view key,
                 const Counts& counts) {
  json.open(list, '[');
  for (const auto& [name, count] : counts) {
    json.open('{');
    json.member(key, name);
    json.member("count", count);
    json.close('}');
  }
  json.close(']');
}

void writeTotals(JsonWriter& json, const RunSummary& summary) {
  const auto& tally = summary.tally;
  const auto part = [](std::uint64_t count, std::uint64_t of) {
    return of == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(of);
  };
  json.open("totals", '{');
  json.member("requests", tally.sent);
  json.member("created", tally.created);
  json.member("exists", tally.exists);
  json.member("conflict", tally.conflicts);
  json.member("refused", tally.rejected);
  json.member("unavailable", tally.unavailable);
  json.member("unknown", tally.unknown);
  json.member("open", std::uint64_t{summary.open});
  json.member("lateStarts", tally.late);
  json.member("droppedStarts", tally.dropped);
  json.member("refusals", tally.refusals);
  json.member("broken", tally.broken);
  json.member("stale", tally.stale);
  json.member("timedOut", tally.timedOut);
  json.member("serverErrors", tally.serverErrors);
  json.member("resolved", tally.resolved);
  json.member("doubtful", tally.doubtful);
  json.member("errors", tally.errors());
  json.member("errorFraction", part(tally.errors(), tally.sent));
  json.member("failedFraction", part(tally.failed(), tally.failed() + tally.acknowledged()));
  writeCounts(json, "statuses", "status", tally.statuses);
  writeCounts(json, "refusedFor", "code", tally.rejections);
  json.close('}');
}

void writeSeries(JsonWriter& json, const RunSummary& summary) {
  json.open("series", '[');
  for (const auto& row : summary.series) {
    json.open('{');
    json.member("atSeconds", row.atSeconds);
    json.member("intendedPerSecond", row.intendedPerSecond);
    json.member("perSecond", row.perSecond);
    json.member("errorsPerSecond", row.errorsPerSecond);
    json.member("p50Ms", row.p50Ms);
    json.member("p99Ms", row.p99Ms);
    json.member("maxMs", row.maxMs);
    json.member("serviceP99Ms", row.serviceP99Ms);
    json.member("open", row.open);
    json.member("waiting", row.waiting);
    json.member("droppedStarts", row.droppedStarts);
    json.close('}');
  }
  json.close(']');
}

void writeCost(JsonWriter& json, const RunSummary& summary) {
  json.open("generator", '{');
  json.member("userSeconds", summary.cost.userSeconds);
  json.member("systemSeconds", summary.cost.systemSeconds);
  json.member("cpuUsPerRequest", summary.cost.usPerRequest(summary.tally.sent));
  json.member("cores", summary.cost.cores());
  json.member("memoryMiB", summary.cost.memoryMiB);
  json.close('}');
}

void writeSum(JsonWriter& json, std::string_view name, const SumFinding* finding) {
  json.name(name);
  if (finding == nullptr) return json.null();
  json.open('{');
  json.member("outcome", word(finding->outcome));
  json.member("acknowledgedAmount", finding->acknowledged.amountFen);
  json.member("acknowledgedTips", finding->acknowledged.tips);
  json.member("booksAmount", finding->held.amountFen);
  json.member("booksTips", finding->held.tips);
  json.member("detail", finding->detail);
  json.close('}');
}

void writeVerification(JsonWriter& json, const RunSummary& summary) {
  json.name("verification");
  if (!summary.findings) return json.null();
  const auto& findings = *summary.findings;
  json.open('{');
  json.member("mode", verifyName(summary.verified));
  json.member("lookedUp", findings.lookedUp());
  json.member("there", findings.there);
  json.member("missing", findings.missing);
  json.member("different", findings.different);
  json.member("unchecked", findings.unchecked);
  json.member("notKept", findings.notKept);
  json.member("doubtfulThere", findings.doubtfulThere);
  json.member("doubtfulAbsent", findings.doubtfulAbsent);
  json.open("examples", '[');
  for (const auto& text : findings.examples) json.value(text);
  json.close(']');
  json.name("sums");
  if (summary.sums) {
    json.open('{');
    writeSum(json, "rooms", &summary.sums->rooms);
    writeSum(json, "books", summary.sums->books ? &*summary.sums->books : nullptr);
    json.close('}');
  } else {
    json.null();
  }
  json.close('}');
}

void writeThresholds(JsonWriter& json, const Settings& settings, const RunSummary& summary) {
  json.open("thresholds", '[');
  for (const auto& verdict : verdicts(settings, summary)) {
    const auto unit = unitOf(verdict.threshold.metric);
    json.open('{');
    json.member("text", verdict.threshold.text);
    json.member("figure", verdict.figure);
    json.member("unit", unit == Unit::perSecond  ? "perSecond"
                        : unit == Unit::fraction ? "fraction"
                                                 : "ms");
    json.member("holds", verdict.holds);
    json.close('}');
  }
  json.close(']');
}

}  // namespace

std::string reportJson(const Settings& settings, const RunSummary& summary, int exitCode) {
  JsonWriter json;
  json.open('{');
  json.member("version", 1);
  json.member("startedAt", formatTime(summary.startedAt));
  json.member("exitCode", exitCode);
  json.member("fine", exitCode == kLoadFine);
  writeSettings(json, settings);
  writeThroughput(json, summary);
  writeTimes(json, "latency", latencyFrom(settings), summary.tally.latency);
  writeTimes(json, "serviceTime", "last sending", summary.tally.service);
  writeTotals(json, summary);
  writeThresholds(json, settings, summary);
  writeVerification(json, summary);
  writeCost(json, summary);
  writeSeries(json, summary);
  json.close('}');
  return json.take() + "\n";
}

}  // namespace tipflow::load
