// Configuration: one declaration a key, read from a TOML file, then the environment, then flags.
// Unknown keys in a file or flag are errors; an unknown TIPFLOW_ variable is warned about.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace tipflow {

struct Config {
  std::string dataDir = "./var";
  std::string node;
  bool production = false;
  std::string httpAddress = "127.0.0.1";
  std::int64_t httpPort = 8080;
  std::int64_t httpThreads = 0;
  std::string adminPassword;
  std::string db1Url;
  std::string db2Url;
  std::int64_t dbThreads = 4;
  std::string redisUrl;
  std::string consulUrl;
  bool requireSignature = true;
  std::string tokenKey;
  std::int64_t passwordMemoryKib = 65'536;
  std::int64_t passwordPasses = 2;
  bool guestsMayTip = true;
  bool minorsMayTip = false;
  std::int64_t lanes = 0;
  std::int64_t laneBatch = 1'000;
  std::int64_t laneQueue = 20'000;
  std::int64_t laneLeaseSeconds = 10;
  std::int64_t defaultShareBp = 5'000;
  std::string sandboxMode = "pay";
  std::int64_t providerTimeoutMs = 1'000;
  std::string businessTimeZone = "Asia/Shanghai";
  std::int64_t jobsHourlySeconds = 5;
  std::int64_t jobsRoundSeconds = 7'200;
  std::string logLevel = "info";
  std::string logTo = "file";
};

/// A value that is missing, unknown, of the wrong type or out of bounds; the text names the key.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One declaration: where a value goes, what it may be, and what it is for.
struct ConfigKey {
  std::string name;         ///< in the file and as a flag: `http.port`, `--set http.port=8081`
  std::string environment;  ///< `TIPFLOW_HTTP_PORT`
  std::variant<std::string Config::*, std::int64_t Config::*, bool Config::*> field;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::string help;
};

const std::vector<ConfigKey>& configKeys();

struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
};

/// `file` may be empty. `flags`: key -> text.
LoadedConfig loadConfig(const std::string& file,
                        const std::map<std::string, std::string>& environment,
                        const std::map<std::string, std::string>& flags);

/// The reference that `tipflow config` prints.
std::string configReference();

}  // namespace tipflow
