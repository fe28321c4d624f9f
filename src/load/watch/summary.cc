#include "load/watch/summary.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "load/json_writer.h"
#include "load/load.h"

namespace tipflow::load::watch {
namespace {

constexpr std::array kFigures{
    "p50",        "p99",   "p99.9",  "max", "seen-by-all.p50", "seen-by-all.p99", "seen-by-all.max",
    "deliveries", "burst", "memory", "open"};

double ms(Histogram::Value value) { return static_cast<double>(value.count()) / 1e3; }

double perSecond(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}
double deliveryRate(const Traffic& traffic) {
  return perSecond(traffic.deliveries, traffic.seconds);
}

/// KiB of server memory a viewer.
double memoryOf(const WatchSummary& summary) {
  if (summary.open == 0) return 0;
  return (summary.serversOpen.memoryMiB - summary.serversBefore.memoryMiB) * 1'024 /
         static_cast<double>(summary.open);
}

std::string counted(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  }
  return text.empty() ? "none" : text;
}

std::string latencies(const Histogram& histogram) {
  return fmt::format("p50 {:.1f}  p90 {:.1f}  p99 {:.1f}  p99.9 {:.1f}  max {:.1f} ms",
                     ms(histogram.percentile(50)), ms(histogram.percentile(90)),
                     ms(histogram.percentile(99)), ms(histogram.percentile(99.9)),
                     ms(histogram.max()));
}

std::string told(const Traffic& traffic) {
  return fmt::format("{} in {:.1f} s: {:.0f}/s, at most {}/s; {} frames, {:.1f} MiB",
                     traffic.deliveries, traffic.seconds, deliveryRate(traffic),
                     traffic.mostDeliveriesInASecond, traffic.frames,
                     static_cast<double>(traffic.bytes) / 1'048'576);
}

void writeLatencies(JsonWriter& json, std::string_view name, const Histogram& histogram) {
  json.open(name, '{');
  json.member("count", histogram.count());
  json.member("p50Ms", ms(histogram.percentile(50)));
  json.member("p90Ms", ms(histogram.percentile(90)));
  json.member("p99Ms", ms(histogram.percentile(99)));
  json.member("p999Ms", ms(histogram.percentile(99.9)));
  json.member("maxMs", ms(histogram.max()));
  json.close('}');
}

void writeTraffic(JsonWriter& json, std::string_view name, const Traffic& traffic) {
  json.open(name, '{');
  json.member("seconds", traffic.seconds);
  json.member("deliveries", traffic.deliveries);
  json.member("deliveriesPerSecond", deliveryRate(traffic));
  json.member("mostDeliveriesInASecond", traffic.mostDeliveriesInASecond);
  json.member("frames", traffic.frames);
  json.member("framesPerSecond", perSecond(traffic.frames, traffic.seconds));
  json.member("bytes", traffic.bytes);
  json.close('}');
}

void writeCounts(JsonWriter& json, std::string_view name,
                 const std::map<std::string, std::uint64_t>& counts) {
  json.open(name, '{');
  for (const auto& [what, count] : counts) json.member(what, count);
  json.close('}');
}

void writeSettings(JsonWriter& json, const WatchOptions& options) {
  json.open("settings", '{');
  json.open("urls", '[');
  for (const auto& url : options.urls) json.value(url);
  json.close(']');
  json.member("viewers", options.viewers);
  json.member("people", options.people);
  json.member("rooms", options.rooms);
  json.member("zipf", options.zipf);
  json.member("openPerSecond", options.openPerSecond);
  json.member("tipsPerSecond", options.rate);
  json.member("seconds", options.seconds);
  json.member("burstTipsPerSecond", options.burstRate);
  json.member("burstSeconds", options.burstSeconds);
  json.member("returnsPerSecond", options.returnsPerSecond);
  json.member("awaySeconds", options.awaySeconds);
  json.member("seed", std::uint64_t{options.seed});
  json.close('}');
}

void writeViewers(JsonWriter& json, const WatchSummary& summary) {
  const auto& found = summary.findings;
  json.open("viewers", '{');
  json.member("asked", found.viewers);
  json.member("open", summary.open);
  json.member("openSeconds", summary.openSeconds);
  json.member("openPerSecond", perSecond(summary.open, summary.openSeconds));
  json.member("openAtEnd", found.openAtEnd);
  json.member("whole", found.whole);
  json.member("wrongSums", found.wrongSums);
  json.member("shortSums", found.shortSums);
  json.member("gaps", found.gaps);
  json.member("repeats", found.repeats);
  json.member("resumed", found.resumed);
  json.member("anew", found.anew);
  json.member("dropped", found.dropped);
  json.member("unreadable", found.unreadable);
  json.member("framesRead", found.framesRead);
  writeCounts(json, "refusals", found.refusals);
  writeCounts(json, "byes", found.byes);
  json.close('}');
}

void writeServers(JsonWriter& json, const WatchSummary& summary) {
  json.open("servers", '{');
  json.member("memoryBeforeMiB", summary.serversBefore.memoryMiB);
  json.member("memoryOpenMiB", summary.serversOpen.memoryMiB);
  json.member("memoryAfterMiB", summary.serversAfter.memoryMiB);
  json.member("memoryPerViewerKiB", memoryOf(summary));
  json.member("openingCpuSeconds",
              summary.serversOpen.cpuSeconds - summary.serversBefore.cpuSeconds);
  json.member("tippingCpuSeconds",
              summary.serversAfter.cpuSeconds - summary.serversOpen.cpuSeconds);
  json.close('}');
}

}  // namespace

std::string boundSyntax() {
  std::string text = "write FIGURE<VALUE, with <, <=, > or >=, where FIGURE is one of";
  for (const auto* figure : kFigures) text += fmt::format(" {}", figure);
  return text +
         "; times in ms or s, deliveries and those of the burst a second, memory in KiB a viewer, "
         "open in viewers";
}

std::optional<Bound> parseBound(const std::string& text) {
  const auto at = text.find_first_of("<>");
  if (at == std::string::npos) return std::nullopt;
  Bound bound{
      .text = text, .figure = text.substr(0, at), .relation = text.substr(at, 1), .value = 0};
  std::string_view rest = std::string_view(text).substr(at + 1);
  if (rest.starts_with('=')) {
    bound.relation += '=';
    rest.remove_prefix(1);
  }
  if (std::find(kFigures.begin(), kFigures.end(), bound.figure) == kFigures.end()) {
    return std::nullopt;
  }
  double factor = 1;
  if (rest.ends_with("ms")) {
    rest.remove_suffix(2);
  } else if (rest.ends_with('s')) {
    rest.remove_suffix(1);
    factor = 1'000;
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), bound.value);
  if (error != std::errc{} || end != rest.data() + rest.size()) return std::nullopt;
  bound.value *= factor;
  return bound;
}

std::map<std::string, double> figuresOf(const WatchSummary& summary) {
  return {{"p50", ms(summary.seen.percentile(50))},
          {"p99", ms(summary.seen.percentile(99))},
          {"p99.9", ms(summary.seen.percentile(99.9))},
          {"max", ms(summary.seen.max())},
          {"seen-by-all.p50", ms(summary.seenByAll.percentile(50))},
          {"seen-by-all.p99", ms(summary.seenByAll.percentile(99))},
          {"seen-by-all.max", ms(summary.seenByAll.max())},
          {"deliveries", deliveryRate(summary.timed)},
          {"burst", deliveryRate(summary.burst)},
          {"memory", memoryOf(summary)},
          {"open", static_cast<double>(summary.open)}};
}

bool holds(const Bound& bound, double figure) {
  if (bound.relation == "<") return figure < bound.value;
  if (bound.relation == "<=") return figure <= bound.value;
  if (bound.relation == ">") return figure > bound.value;
  return figure >= bound.value;
}

std::vector<std::string> faultsOf(const WatchSummary& summary) {
  std::vector<std::string> faults;
  const auto fault = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) faults.push_back(fmt::format("{} {}", count, what));
  };
  const auto& found = summary.findings;
  fault(found.viewers - std::min(found.viewers, summary.open), "viewers did not get in");
  fault(found.wrongSums,
        fmt::format("viewers saw another sum than was acknowledged, {} of them less",
                    found.shortSums));
  fault(found.gaps, "times events were missing");
  fault(found.repeats, "times events came again");
  fault(found.unreadable, "frames were not what the contract says");
  fault(found.dropped, "connections ended without being asked to");
  fault(summary.tipsRefused, "tips were refused");
  fault(summary.tipsInDoubt, "tips ended without an outcome");
  if (summary.tipsAcknowledged > 0 && found.whole == 0)
    faults.emplace_back("nobody saw everything");
  return faults;
}

int exitCode(const WatchOptions& options, const WatchSummary& summary) {
  if (!faultsOf(summary).empty()) return kLoadBroken;
  if (options.rate > 0 && summary.tipsAcknowledged == 0) return kLoadBroken;
  const auto figures = figuresOf(summary);
  for (const auto& text : options.thresholds) {
    const auto bound = parseBound(text);
    if (bound && !holds(*bound, figures.at(bound->figure))) return kLoadThreshold;
  }
  return kLoadFine;
}

std::string report(const WatchOptions& options, const WatchSummary& summary) {
  const auto& found = summary.findings;
  std::string text = fmt::format(
      "viewers      {} of {} in {} rooms, by {} processes, in {:.1f} s\n"
      "openings     not at once: {}; good-byes: {}\n",
      summary.open, found.viewers, options.rooms, summary.processes, summary.openSeconds,
      counted(found.refusals), counted(found.byes));
  if (summary.tipsSent > 0) {
    text += fmt::format(
        "tips         {} sent, {} acknowledged, {} refused, {} in doubt\n"
        "seen         {}\n"
        "seen by all  {}\n"
        "deliveries   {}\n",
        summary.tipsSent, summary.tipsAcknowledged, summary.tipsRefused, summary.tipsInDoubt,
        latencies(summary.seen), latencies(summary.seenByAll), told(summary.timed));
  }
  if (options.burstRate > 0) text += fmt::format("burst        {}\n", told(summary.burst));
  text += fmt::format(
      "checked      {} viewers saw everything from the first tip on; {} of them another sum, {} "
      "gaps, "
      "{} repeats; {} went on where they were, {} began anew\n",
      found.whole, found.wrongSums, found.gaps, found.repeats, found.resumed, found.anew);
  if (!options.servers.empty()) {
    text += fmt::format(
        "servers      {:.1f} MiB, with viewers {:.1f}: {:.2f} KiB each; processor {:.2f} s "
        "opening, "
        "{:.2f} s while tips were given\n",
        summary.serversBefore.memoryMiB, summary.serversOpen.memoryMiB, memoryOf(summary),
        summary.serversOpen.cpuSeconds - summary.serversBefore.cpuSeconds,
        summary.serversAfter.cpuSeconds - summary.serversOpen.cpuSeconds);
  }
  text += fmt::format("generator    processor {:.2f} s\n", summary.ownCpuSeconds);
  const auto figures = figuresOf(summary);
  for (const auto& one : options.thresholds) {
    const auto bound = parseBound(one);
    if (!bound) continue;
    const double figure = figures.at(bound->figure);
    text += fmt::format("threshold    {}: {:.2f}, {}\n", one, figure,
                        holds(*bound, figure) ? "holds" : "does not hold");
  }
  for (const auto& fault : faultsOf(summary)) text += fmt::format("WRONG        {}\n", fault);
  return text;
}

std::string reportJson(const WatchOptions& options, const WatchSummary& summary) {
  JsonWriter json;
  json.open('{');
  json.member("version", 1);
  json.member("startedAt", formatTime(summary.startedAt));
  json.member("exitCode", exitCode(options, summary));
  writeSettings(json, options);
  json.member("processes", std::uint64_t{summary.processes});
  writeViewers(json, summary);
  json.open("tips", '{');
  json.member("sent", summary.tipsSent);
  json.member("acknowledged", summary.tipsAcknowledged);
  json.member("refused", summary.tipsRefused);
  json.member("inDoubt", summary.tipsInDoubt);
  writeCounts(json, "refusedFor", summary.tipRefusals);
  json.close('}');
  writeLatencies(json, "seen", summary.seen);
  writeLatencies(json, "seenByAll", summary.seenByAll);
  writeTraffic(json, "traffic", summary.timed);
  writeTraffic(json, "burst", summary.burst);
  writeServers(json, summary);
  json.member("generatorCpuSeconds", summary.ownCpuSeconds);
  json.open("faults", '[');
  for (const auto& fault : faultsOf(summary)) json.value(fault);
  json.close(']');
  json.close('}');
  return json.take();
}

}  // namespace tipflow::load::watch
