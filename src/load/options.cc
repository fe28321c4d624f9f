#include "load/options.h"

#include <fmt/format.h>

#include <cmath>

#include "load/driver.h"
#include "load/threshold.h"

namespace tipflow::load {
namespace {

constexpr double kDefaultSeconds = 10;
constexpr int kBatchMost = 1'000;
constexpr double kZipfMost = 10;

std::string faultOfSchedule(const LoadOptions& options) {
  if (!(options.rate >= 0 && options.rate <= 10'000'000)) return "--rate must be 0 to 10,000,000";
  if (options.seconds && !(*options.seconds >= 0)) return "--seconds must not be negative";
  if (!(options.warmupSeconds >= 0)) return "--warmup must not be negative";
  if (options.tips && *options.tips == 0) return "--tips must be at least 1";
  if (!(options.dropAfterSeconds > 0)) return "--drop-after must be more than 0";
  if (options.waitForNodeSeconds && !(*options.waitForNodeSeconds > 0)) {
    return "--wait-for-node must be more than 0";
  }
  if (options.stages.empty()) return {};
  if (options.seconds) return "--stages have their own length: leave --seconds away";
  const auto stages = parseStages(options.stages);
  if (!stages) {
    return fmt::format("--stages {}: write DURATION:RATE,… as in 10s:1000,1m:5000,10s:0",
                       options.stages);
  }
  if (options.warmupSeconds >= Schedule(*stages, 1).seconds()) {
    return "--warmup must be shorter than the stages: it is their beginning";
  }
  return {};
}

std::string faultOfPeople(const LoadOptions& options) {
  const auto fraction = [](double value) { return value >= 0 && value <= 1; };
  const auto exponent = [](double value) { return value >= 0 && value <= kZipfMost; };
  if (options.rooms < 1 || options.rooms > 100'000) return "--rooms must be 1 to 100,000";
  if (options.viewers < options.threads || options.viewers > 1'000'000) {
    return "--viewers must be 1 (one for each thread) to 1,000,000";
  }
  if (!fraction(options.guestFraction)) return "--guests must be 0 to 1";
  if (!fraction(options.taste)) return "--taste must be 0 to 1";
  if (!fraction(options.duplicates)) return "--duplicates must be 0 to 1";
  if (!(options.duplicatesWithinSeconds >= 0 && options.duplicatesWithinSeconds <= 3'600)) {
    return "--duplicates-within must be 0 to 3600 seconds";
  }
  if (!exponent(options.zipf)) return "--zipf must be 0 to 10";
  if (!exponent(options.zipfViewers)) return "--zipf-viewers must be 0 to 10";
  if (options.registeredMost < 0) return "--registered-most must not be negative";
  if (options.password.size() < 8 || options.password.size() > 128) {
    return "--password must have 8 to 128 bytes";
  }
  return {};
}

std::string faultOfRequests(const LoadOptions& options) {
  if (!parseUrl(options.url)) {
    return fmt::format("--url {} is not an address: write http://host:port", options.url);
  }
  if (options.connections < 1 || options.connections > 100'000) {
    return "--connections must be 1 to 100,000";
  }
  if (options.threads < 1 || options.threads > options.connections) {
    return "--threads must be 1 to the number of connections";
  }
  if (options.batch && (*options.batch < 1 || *options.batch > kBatchMost)) {
    return "--batch must be 1 to 1,000";
  }
  if (options.batch && options.operatorPassword.empty()) {
    return "--batch is sent by an operator: give its password as TIPFLOW_ADMIN_PASSWORD or "
           "--operator-password";
  }
  for (const auto& text : options.thresholds) {
    if (!parseThreshold(text)) return fmt::format("--threshold {}: {}", text, thresholdSyntax());
  }
  if (!allowConnections(static_cast<std::size_t>(options.connections))) {
    return "so many --connections need more open files: ulimit -n";
  }
  return {};
}

std::string faultOf(const LoadOptions& options) {
  for (const auto& faultOfPart : {faultOfRequests, faultOfSchedule, faultOfPeople}) {
    if (auto fault = faultOfPart(options); !fault.empty()) return fault;
  }
  return {};
}

}  // namespace

std::variant<Settings, std::string> settingsOf(const LoadOptions& options) {
  if (auto fault = faultOf(options); !fault.empty()) return fault;
  Settings settings{.options = options, .stages = {}, .seconds = {}};
  if (!options.stages.empty()) {
    settings.stages = *parseStages(options.stages);
    settings.seconds = Schedule(settings.stages, 1).seconds() - options.warmupSeconds;
    return settings;
  }
  settings.seconds = options.seconds;
  if (!settings.seconds && !options.tips) settings.seconds = kDefaultSeconds;
  if (settings.seconds && *settings.seconds == 0) settings.seconds.reset();
  return settings;
}

}  // namespace tipflow::load
