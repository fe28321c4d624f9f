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
  std::string trustedProxies;
  std::string adminPassword;
  std::string db1Url;
  std::string db2Url;
  std::int64_t dbThreads = 4;
  std::string db1ReplicaUrls;
  std::string db2ReplicaUrls;
  std::int64_t dbReplicaLagMs = 2'000;
  std::string redisUrl;
  std::string consulUrl;
  std::string clusterAddress;
  bool requireSignature = true;
  std::string tokenKey;
  std::string dataKeys;
  std::string clusterKey;
  std::int64_t addressPerSecond = 500;
  std::int64_t addressBurst = 1'000;
  std::int64_t addressConnections = 1'000;
  std::int64_t viewerPerSecond = 100;
  std::int64_t viewerBurst = 200;
  std::string limitsExempt = "127.0.0.0/8,::1";
  std::int64_t loginPerNameAndAddress = 10;
  std::int64_t loginPerName = 100;
  std::int64_t loginPerAddress = 100;
  std::int64_t passwordMemoryKib = 65'536;
  std::int64_t passwordPasses = 2;
  bool guestsMayTip = true;
  bool minorsMayTip = false;
  std::int64_t lanes = 0;
  std::int64_t laneBatch = 1'000;
  std::int64_t laneQueue = 20'000;
  std::int64_t laneLeaseSeconds = 10;
  std::string leaderboard = "everyone";
  std::int64_t chatDays = 90;
  std::int64_t defaultShareBp = 5'000;
  std::string sandboxMode = "pay";
  std::int64_t providerTimeoutMs = 1'000;
  std::string businessTimeZone = "Asia/Shanghai";
  std::int64_t roomTickMs = 200;
  std::int64_t roomCountDeliveries = 5'000;
  std::int64_t roomPingSeconds = 45;
  std::int64_t roomMaxConnections = 100'000;
  std::int64_t roomAdmitPerSecond = 1'000;
  std::int64_t roomSendBufferKib = 512;
  std::int64_t roomRingKib = 2'048;
  std::int64_t roomComboSeconds = 5;
  std::int64_t roomChatLength = 200;
  std::int64_t roomChatPerSecond = 1;
  std::int64_t roomChatBurst = 5;
  std::int64_t roomChatsATick = 30;
  std::string roomChatBlockedWords;
  std::int64_t jobsHourlySeconds = 5;
  std::int64_t jobsLeaseSeconds = 10;
  std::int64_t jobsRoundSeconds = 7'200;
  std::string logLevel = "info";
  std::string logTo = "file";
  std::int64_t alertSyncLagSeconds = 30;
  std::int64_t alertErrorPercent = 5;
  std::int64_t alertErrorRequests = 50;
  std::int64_t alertDiskFreePercent = 10;
  std::int64_t alertWithdrawalSeconds = 600;
  std::int64_t alertKeyAgeDays = 180;
  std::int64_t alertRaiseSeconds = 15;
  std::int64_t alertResolveSeconds = 30;
  std::int64_t alertLookSeconds = 5;
  std::int64_t alertGoneSeconds = 600;
  std::int64_t alertReconcileSeconds = 60;
  std::string alertWebhookUrl;
  std::string alertWebhookSecret;
  std::int64_t tracesPerSecond = 50;
  std::int64_t slowMs = 500;
  std::string otlpUrl;
  std::string recordsUrl;
  std::int64_t recordsBufferMb = 64;
  std::int64_t recordsRetentionDays = 7;
  std::int64_t recordsMaxMb = 4'096;
  std::string edgeAddress = "127.0.0.1";
  std::int64_t edgePort = 8000;
  std::int64_t edgeConnections = 16'384;
  std::string edgeNginx = "nginx";
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
  bool atRunTime = false;               ///< an admin can change it while nodes run
  std::vector<std::string> words = {};  ///< what it may be; empty: any text
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
