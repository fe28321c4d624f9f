#include "load/watch/options.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "load/watch/servers.h"
#include "load/watch/summary.h"
#include "load/watch/viewers.h"
#include "load/wire.h"

namespace tipflow::load::watch {

std::size_t filesMost() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

std::string faultOf(const WatchOptions& options) {
  if (options.urls.empty()) return "--url is needed";
  for (const auto& url : options.urls) {
    if (!parseUrl(url)) return fmt::format("--url {}: write http://host:port", url);
  }
  if (!options.apiUrl.empty() && !parseUrl(options.apiUrl)) return "--api: write http://host:port";
  if (options.viewers < 1 || options.viewers > 5'000'000) return "--viewers must be 1 to 5,000,000";
  if (options.people < 1 || options.people > 1'000'000) return "--people must be 1 to 1,000,000";
  if (options.rooms < 1 || options.rooms > 10'000) return "--rooms must be 1 to 10,000";
  if (!(options.zipf >= 0 && options.zipf <= 10)) return "--zipf must be 0 to 10";
  if (!(options.openPerSecond > 0)) return "--open-rate must be more than 0";
  if (!(options.openSeconds > 0)) return "--open-seconds must be more than 0";
  if (options.perProcess < 0) return "--per-process must not be negative";
  if (options.perAddress < 1 || options.perAddress > kPerAddressMost) {
    return fmt::format("--per-address must be 1 to {}", kPerAddressMost);
  }
  if (!(options.rate >= 0 && options.rate <= 100'000)) return "--rate must be 0 to 100,000";
  if (!(options.seconds >= 0 && options.seconds <= 86'400)) return "--seconds must be 0 to 86,400";
  if (!(options.burstRate >= 0 && options.burstRate <= 100'000)) {
    return "--burst-rate must be 0 to 100,000";
  }
  if (!(options.burstSeconds >= 0 && options.burstSeconds <= 86'400)) {
    return "--burst-seconds must be 0 to 86,400";
  }
  if (options.rate * options.seconds + options.burstRate * options.burstSeconds > 20e6)
    return "--rate times --seconds: at most 20 million tips";
  if (!(options.settleSeconds >= 0)) return "--settle must not be negative";
  if (!(options.returnsPerSecond >= 0 && options.awaySeconds >= 0)) {
    return "--returns and --away must not be negative";
  }
  if (options.password.size() < 8 || options.password.size() > 128) {
    return "--password must have 8 to 128 bytes";
  }
  for (const auto& text : options.thresholds) {
    if (!parseBound(text)) return fmt::format("--threshold {}: {}", text, boundSyntax());
  }
  for (const auto server : options.servers) {
    if (!usageOf(server)) return fmt::format("--pid {}: there is no such process", server);
  }
  if (options.perProcess > 0 &&
      static_cast<std::size_t>(options.perProcess) + kFilesBeside > filesMost()) {
    return fmt::format("--per-process: a process may open {} files", filesMost());
  }
  return {};
}

}  // namespace tipflow::load::watch
