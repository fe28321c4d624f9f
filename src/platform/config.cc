#include "platform/config.h"

#include "platform/db/connection.h"
#include "platform/http/address.h"
#include "platform/http/node_signature.h"
#include "platform/redis/url.h"
#include "platform/security/crypto.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

namespace tipflow {
/// What toml++ says of a few malformed values, where it takes for granted what it has not checked.
class TomlAssertion : public std::logic_error {
  using std::logic_error::logic_error;
};
}  // namespace tipflow
// A fault in a file is an error message, not the end of the process.
#define TOML_ASSERT(expr) \
  ((expr) ? static_cast<void>(0) : throw ::tipflow::TomlAssertion("toml++: " #expr))
#include <toml++/toml.h>

namespace tipflow {
namespace {

constexpr std::int64_t kMany = std::numeric_limits<std::int32_t>::max();

const ConfigKey* findKey(const std::string& name) {
  const auto& keys = configKeys();
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

void assign(Config& config, const ConfigKey& key, const std::string& text,
            const std::string& source) {
  const auto wrong = [&](const std::string& why) {
    return ConfigError(fmt::format("{} ({}): {}", key.name, source, why));
  };
  if (const auto* field = std::get_if<std::string Config::*>(&key.field)) {
    config.** field = text;
  } else if (const auto* flag = std::get_if<bool Config::*>(&key.field)) {
    if (text != "true" && text != "false") throw wrong("must be true or false");
    config.** flag = text == "true";
  } else {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) throw wrong("must be an integer");
    if (number < key.least || number > key.most) {
      throw wrong(fmt::format("must be from {} to {}", key.least, key.most));
    }
    config.*std::get<std::int64_t Config::*>(key.field) = number;
  }
}

void readTable(Config& config, const toml::table& table, const std::string& prefix,
               const std::string& file) {
  for (const auto& [name, node] : table) {
    const auto path = prefix + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      readTable(config, *inner, path + ".", file);
      continue;
    }
    const auto* key = findKey(path);
    if (key == nullptr) throw ConfigError(fmt::format("{}: unknown key '{}'", file, path));
    std::string text;
    if (const auto* asText = node.as_string()) {
      text = asText->get();
    } else if (const auto* asNumber = node.as_integer()) {
      text = std::to_string(asNumber->get());
    } else if (const auto* asBool = node.as_boolean()) {
      text = asBool->get() ? "true" : "false";
    } else {
      throw ConfigError(fmt::format("{}: '{}' has a type that no setting has", file, path));
    }
    assign(config, *key, text, file);
  }
}

// Where Consul is, and where the node will say that it is.
void checkCluster(const Config& config) {
  constexpr std::string_view kScheme = "http://";
  const auto& url = config.consulUrl;
  if (!url.starts_with(kScheme) || url.size() == kScheme.size() ||
      url.find('/', kScheme.size()) != std::string::npos) {
    throw ConfigError("consul.url: must be http://host:port");
  }
  const auto& shown = config.clusterAddress.empty() ? config.httpAddress : config.clusterAddress;
  if (shown == "0.0.0.0" || shown == "::") {
    throw ConfigError("cluster.address: must say where other nodes reach this one, " + shown +
                      " does not");
  }
}

}  // namespace

const std::vector<ConfigKey>& configKeys() {
  static const std::vector<ConfigKey> keys{
      {"data_dir", "TIPFLOW_DATA_DIR", &Config::dataDir, 0, 0, "SQLite files, keys, logs"},
      {"node", "TIPFLOW_NODE", &Config::node, 0, 0,
       "name of this node, unique in the cluster; host:port when empty"},
      {"production", "TIPFLOW_PRODUCTION", &Config::production, 0, 0,
       "refuse to start with databases whose commits can be lost, or without signed requests"},
      {"http.address", "TIPFLOW_HTTP_ADDRESS", &Config::httpAddress, 0, 0, "address to listen on"},
      {"http.port", "TIPFLOW_HTTP_PORT", &Config::httpPort, 1, 65'535, "port of the API"},
      {"http.threads", "TIPFLOW_HTTP_THREADS", &Config::httpThreads, 0, 1'024,
       "event loops; 0: one a core"},
      {"http.trusted_proxies", "TIPFLOW_HTTP_TRUSTED_PROXIES", &Config::trustedProxies, 0, 0,
       "networks (10.0.0.0/8,2001:db8::/32) of proxies whose X-Forwarded-For, one line of it, "
       "names "
       "the client; empty: none is believed"},
      {"admin_password", "TIPFLOW_ADMIN_PASSWORD", &Config::adminPassword, 0, 0,
       "password of admin at first start; generated when empty"},
      {"db1.url", "TIPFLOW_DB1_URL", &Config::db1Url, 0, 0,
       "sqlite:<file> or mysql://user:password@host:port/database; a file in data_dir when empty"},
      {"db2.url", "TIPFLOW_DB2_URL", &Config::db2Url, 0, 0, "as db1.url"},
      {"db.threads", "TIPFLOW_DB_THREADS", &Config::dbThreads, 1, 256,
       "connections for queries, per database"},
      {"db1.replica_urls", "TIPFLOW_DB1_REPLICA_URLS", &Config::db1ReplicaUrls, 0, 0,
       "replicas of DB1 that lists and reports may read, as db1.url, several separated by commas"},
      {"db2.replica_urls", "TIPFLOW_DB2_REPLICA_URLS", &Config::db2ReplicaUrls, 0, 0,
       "as db1.replica_urls, of DB2"},
      {"db.replica_lag_ms", "TIPFLOW_DB_REPLICA_LAG_MS", &Config::dbReplicaLagMs, 400, 60'000,
       "a replica that may be further behind than this is not read"},
      {"redis.url", "TIPFLOW_REDIS_URL", &Config::redisUrl, 0, 0,
       "redis://[user:password@]host:port[/database], where nodes share cache, bus, locks and "
       "nonces; empty: in process"},
      {"consul.url", "TIPFLOW_CONSUL_URL", &Config::consulUrl, 0, 0,
       "http://host:port of an agent, through which nodes find each other; empty: this node alone"},
      {"security.require_signature", "TIPFLOW_REQUIRE_SIGNATURE", &Config::requireSignature, 0, 0,
       "money and administration need signed requests"},
      {"security.token_key", "TIPFLOW_TOKEN_KEY", &Config::tokenKey, 0, 0,
       "64 hex digits, the same on all nodes; several, separated by commas: the first signs, all "
       "verify; kept in data_dir when empty"},
      {"security.data_keys", "TIPFLOW_DATA_KEYS", &Config::dataKeys, 0, 0,
       "id:64 hex digits, the same on all nodes; several, separated by commas: the first encrypts, "
       "all decrypt; kept in data_dir when empty"},
      {"security.password_memory_kib", "TIPFLOW_SECURITY_PASSWORD_MEMORY_KIB",
       &Config::passwordMemoryKib, 8, 1'048'576, "argon2id memory of a new password hash"},
      {"security.password_passes", "TIPFLOW_SECURITY_PASSWORD_PASSES", &Config::passwordPasses, 1,
       16, "argon2id passes of a new password hash"},
      {"cluster.address", "TIPFLOW_CLUSTER_ADDRESS", &Config::clusterAddress, 0, 0,
       "address at which other nodes reach this one; http.address when empty"},
      {"cluster.key", "TIPFLOW_CLUSTER_KEY", &Config::clusterKey, 0, 0,
       "64 hex digits, the same on all nodes, with which they sign what they ask of each other; "
       "made and kept in data_dir when empty"},
      {"limits.address_per_second", "TIPFLOW_LIMITS_ADDRESS_PER_SECOND", &Config::addressPerSecond,
       0, 1'000'000, "requests a second of one address (of one /64 of IPv6); 0: no limit"},
      {"limits.address_burst", "TIPFLOW_LIMITS_ADDRESS_BURST", &Config::addressBurst, 1, 1'000'000,
       "requests of one address at once, after a pause"},
      {"limits.address_connections", "TIPFLOW_LIMITS_ADDRESS_CONNECTIONS",
       &Config::addressConnections, 0, 1'000'000,
       "requests and WebSockets of one address under way at the edge; 0: no limit"},
      {"limits.viewer_per_second", "TIPFLOW_LIMITS_VIEWER_PER_SECOND", &Config::viewerPerSecond, 0,
       1'000'000, "requests a second of one viewer or anchor; 0: no limit"},
      {"limits.viewer_burst", "TIPFLOW_LIMITS_VIEWER_BURST", &Config::viewerBurst, 1, 1'000'000,
       "requests of one viewer or anchor at once, after a pause"},
      {"limits.exempt", "TIPFLOW_LIMITS_EXEMPT", &Config::limitsExempt, 0, 0,
       "networks that neither limit on requests holds for: this machine's own tools, probes and "
       "loads; behind a proxy on this machine set http.trusted_proxies, or all clients are exempt"},
      {"limits.login_name_address", "TIPFLOW_LIMITS_LOGIN_NAME_ADDRESS",
       &Config::loginPerNameAndAddress, 0, 1'000'000,
       "failed log-ins of one name from one address in five minutes; 0: no limit"},
      {"limits.login_name", "TIPFLOW_LIMITS_LOGIN_NAME", &Config::loginPerName, 0, 1'000'000,
       "failed log-ins of one name in five minutes; 0: no limit"},
      {"limits.login_address", "TIPFLOW_LIMITS_LOGIN_ADDRESS", &Config::loginPerAddress, 0,
       1'000'000, "failed log-ins from one address in five minutes; 0: no limit"},
      {"policy.guests_may_tip", "TIPFLOW_POLICY_GUESTS_MAY_TIP", &Config::guestsMayTip, 0, 0,
       "whether guests may tip"},
      {"policy.minors_may_tip", "TIPFLOW_POLICY_MINORS_MAY_TIP", &Config::minorsMayTip, 0, 0,
       "whether viewers under 18 may tip"},
      {"audience.lanes", "TIPFLOW_AUDIENCE_LANES", &Config::lanes, 0, 64,
       "lanes of this node; 0: two on MySQL with four cores or more, else one"},
      {"audience.lane_batch", "TIPFLOW_AUDIENCE_LANE_BATCH", &Config::laneBatch, 1, 1'000,
       "tips a statement at most"},
      {"audience.lane_queue", "TIPFLOW_AUDIENCE_LANE_QUEUE", &Config::laneQueue, 1, 1'000'000,
       "tips waiting a lane at most; more are answered 503"},
      {"audience.lane_lease_seconds", "TIPFLOW_AUDIENCE_LANE_LEASE_SECONDS",
       &Config::laneLeaseSeconds, 2, 3'600, "a lane not renewed for this long is adopted"},
      {"audience.leaderboard",
       "TIPFLOW_AUDIENCE_LEADERBOARD",
       &Config::leaderboard,
       0,
       0,
       "who sees the boards of those who gave most: everyone, masked (others than operators see "
       "masked names), operators",
       false,
       {"everyone", "masked", "operators"}},
      {"anchor.chat_days", "TIPFLOW_ANCHOR_CHAT_DAYS", &Config::chatDays, 1, 3'650,
       "days for which what was said in rooms is kept for operators to search"},
      {"finance.default_share_bp", "TIPFLOW_FINANCE_DEFAULT_SHARE_BP", &Config::defaultShareBp, 0,
       10'000, "the platform's share rate, written down at first start"},
      {"finance.sandbox_mode",
       "TIPFLOW_FINANCE_SANDBOX_MODE",
       &Config::sandboxMode,
       0,
       0,
       "what the sandbox provider does: pay, reject, timeout, pay_then_timeout",
       false,
       {"pay", "reject", "timeout", "pay_then_timeout"}},
      {"finance.provider_timeout_ms", "TIPFLOW_FINANCE_PROVIDER_TIMEOUT_MS",
       &Config::providerTimeoutMs, 10, 60'000, "how long a payout may take before it is pending"},
      {"business_time_zone", "TIPFLOW_BUSINESS_TIME_ZONE", &Config::businessTimeZone, 0, 0,
       "time zone of days in statements and reports"},
      {"room.tick_ms", "TIPFLOW_ROOM_TICK_MS", &Config::roomTickMs, 20, 5'000,
       "viewers get one frame a room in this time"},
      {"room.count_deliveries", "TIPFLOW_ROOM_COUNT_DELIVERIES", &Config::roomCountDeliveries, 1,
       kMany,
       "a second: frames that tell only how many come and go, sums and boards reach this many "
       "viewers of the node, room after room; with tips and chat they always go along"},
      {"room.ping_seconds", "TIPFLOW_ROOM_PING_SECONDS", &Config::roomPingSeconds, 5, 240,
       "a viewer who was not heard for so long is pinged, and gone 75 s later; of a million "
       "viewers each ping costs, nginx waits 5 minutes for one"},
      {"room.max_connections", "TIPFLOW_ROOM_MAX_CONNECTIONS", &Config::roomMaxConnections, 1,
       10'000'000, "viewers' connections to this node at most, within the limit on open files"},
      {"room.admit_per_second", "TIPFLOW_ROOM_ADMIT_PER_SECOND", &Config::roomAdmitPerSecond, 1,
       1'000'000, "viewers who may come in a second; more are told when to try again"},
      {"room.send_buffer_kib", "TIPFLOW_ROOM_SEND_BUFFER_KIB", &Config::roomSendBufferKib, 4,
       65'536, "a viewer who does not read and for whom more than this waits is dropped"},
      {"room.ring_kib", "TIPFLOW_ROOM_RING_KIB", &Config::roomRingKib, 1, 1'048'576,
       "latest events kept a room for viewers who lost their connection"},
      {"room.combo_seconds", "TIPFLOW_ROOM_COMBO_SECONDS", &Config::roomComboSeconds, 1, 60,
       "gifts of one kind that follow each other within this time are shown as a combo"},
      {"room.chat_length", "TIPFLOW_ROOM_CHAT_LENGTH", &Config::roomChatLength, 1, 500,
       "characters of a chat message at most"},
      {"room.chat_per_second", "TIPFLOW_ROOM_CHAT_PER_SECOND", &Config::roomChatPerSecond, 1, 100,
       "chat messages a second of one viewer"},
      {"room.chat_burst", "TIPFLOW_ROOM_CHAT_BURST", &Config::roomChatBurst, 1, 1'000,
       "chat messages of one viewer at once, after a pause"},
      {"room.chats_a_tick", "TIPFLOW_ROOM_CHATS_A_TICK", &Config::roomChatsATick, 1, 10'000,
       "chat messages a frame shows; of more, so many are chosen"},
      {"room.chat_blocked_words", "TIPFLOW_ROOM_CHAT_BLOCKED_WORDS", &Config::roomChatBlockedWords,
       0, 0, "words that chat shows as stars, separated by commas"},
      {"jobs.hourly_seconds", "TIPFLOW_JOBS_HOURLY_SECONDS", &Config::jobsHourlySeconds, 1, kMany,
       "interval of the hourly analysis"},
      {"jobs.lease_seconds", "TIPFLOW_JOBS_LEASE_SECONDS", &Config::jobsLeaseSeconds, 2, 3'600,
       "a job whose node was not heard of for this long goes on at another"},
      {"jobs.round_seconds", "TIPFLOW_JOBS_ROUND_SECONDS", &Config::jobsRoundSeconds, 1, kMany,
       "interval of the portrait rounds"},
      {"log.level",
       "TIPFLOW_LOG_LEVEL",
       &Config::logLevel,
       0,
       0,
       "debug, info, warn or error",
       true,
       {"debug", "info", "warn", "error"}},
      {"log.to",
       "TIPFLOW_LOG_TO",
       &Config::logTo,
       0,
       0,
       "file (rotating, in data_dir/log) or stderr",
       false,
       {"file", "stderr"}},
      {"alerts.sync_lag_seconds", "TIPFLOW_ALERTS_SYNC_LAG_SECONDS", &Config::alertSyncLagSeconds,
       1, 86'400, "a committed tip that is not settled after this long is an alert", true},
      {"alerts.error_percent", "TIPFLOW_ALERTS_ERROR_PERCENT", &Config::alertErrorPercent, 1, 100,
       "so many of a minute's requests answered 5xx are an alert", true},
      {"alerts.error_requests", "TIPFLOW_ALERTS_ERROR_REQUESTS", &Config::alertErrorRequests, 1,
       kMany, "fewer requests a minute are not judged by alerts.error_percent", true},
      {"alerts.disk_free_percent", "TIPFLOW_ALERTS_DISK_FREE_PERCENT",
       &Config::alertDiskFreePercent, 0, 100,
       "less of data_dir's disk free is an alert; 0: it is not watched", true},
      {"alerts.withdrawal_seconds", "TIPFLOW_ALERTS_WITHDRAWAL_SECONDS",
       &Config::alertWithdrawalSeconds, 1, kMany,
       "a withdrawal that is pending after this long is an alert", true},
      {"alerts.key_age_days", "TIPFLOW_ALERTS_KEY_AGE_DAYS", &Config::alertKeyAgeDays, 1, 3'650,
       "a newest key that is older is an alert", true},
      {"alerts.raise_seconds", "TIPFLOW_ALERTS_RAISE_SECONDS", &Config::alertRaiseSeconds, 0, 3'600,
       "what is wrong must stay so for this long to be an alert", true},
      {"alerts.resolve_seconds", "TIPFLOW_ALERTS_RESOLVE_SECONDS", &Config::alertResolveSeconds, 0,
       3'600, "and must have been gone for this long to be resolved", true},
      {"alerts.look_seconds", "TIPFLOW_ALERTS_LOOK_SECONDS", &Config::alertLookSeconds, 1, 60,
       "interval at which a node looks at itself"},
      {"alerts.gone_seconds", "TIPFLOW_ALERTS_GONE_SECONDS", &Config::alertGoneSeconds, 10, kMany,
       "alerts of a node that has not reported for this long, and for five looks, are resolved"},
      {"alerts.reconcile_seconds", "TIPFLOW_ALERTS_RECONCILE_SECONDS",
       &Config::alertReconcileSeconds, 1, 86'400,
       "interval at which role finance compares the books; longer when that takes long", true},
      {"alerts.webhook_url", "TIPFLOW_ALERTS_WEBHOOK_URL", &Config::alertWebhookUrl, 0, 0,
       "alerts are posted there as JSON (http:// or https://); empty: nowhere"},
      {"alerts.webhook_secret", "TIPFLOW_ALERTS_WEBHOOK_SECRET", &Config::alertWebhookSecret, 0, 0,
       "signs what is posted to alerts.webhook_url; empty: it is not signed"},
      {"trace.per_second", "TIPFLOW_TRACE_PER_SECOND", &Config::tracesPerSecond, 0, kMany,
       "traces of which this node keeps every span, each second; errors and slow requests are "
       "kept besides"},
      {"trace.slow_ms", "TIPFLOW_TRACE_SLOW_MS", &Config::slowMs, 1, 60'000,
       "a request that takes this long is slow"},
      {"trace.otlp_url", "TIPFLOW_TRACE_OTLP_URL", &Config::otlpUrl, 0, 0,
       "spans also go there as OTLP over HTTP (http://host:4318/v1/traces); empty: nowhere"},
      {"records.url", "TIPFLOW_RECORDS_URL", &Config::recordsUrl, 0, 0,
       "a node with the role console (http://host:port) that keeps this node's log lines and "
       "spans, where this one has not the role itself; empty: nowhere"},
      {"records.buffer_mb", "TIPFLOW_RECORDS_BUFFER_MB", &Config::recordsBufferMb, 1, 65'536,
       "log lines and spans that wait while they cannot be kept; more are dropped and counted"},
      {"records.retention_days", "TIPFLOW_RECORDS_RETENTION_DAYS", &Config::recordsRetentionDays, 1,
       3'650, "how long the role console keeps log lines and spans"},
      {"records.max_mb", "TIPFLOW_RECORDS_MAX_MB", &Config::recordsMaxMb, 64, kMany,
       "how much disk they may take; the oldest go first"},
      {"edge.address", "TIPFLOW_EDGE_ADDRESS", &Config::edgeAddress, 0, 0,
       "address that tipflow edge listens on"},
      {"edge.port", "TIPFLOW_EDGE_PORT", &Config::edgePort, 1, 65'535, "its port"},
      {"edge.connections", "TIPFLOW_EDGE_CONNECTIONS", &Config::edgeConnections, 64, 1'048'576,
       "connections of each nginx worker, clients' and nodes' together"},
      {"edge.nginx", "TIPFLOW_EDGE_NGINX", &Config::edgeNginx, 0, 0,
       "the program: a path, or a name to look for"},
  };
  return keys;
}

LoadedConfig loadConfig(const std::string& file,
                        const std::map<std::string, std::string>& environment,
                        const std::map<std::string, std::string>& flags) {
  LoadedConfig loaded;
  if (!file.empty()) {
    try {
      readTable(loaded.config, toml::parse_file(file), "", file);
    } catch (const toml::parse_error& error) {
      throw ConfigError(
          fmt::format("{}: line {}: {}", file, error.source().begin.line, error.description()));
    } catch (const TomlAssertion&) {
      throw ConfigError(fmt::format("{}: holds a value that is malformed", file));
    }
  }
  for (const auto& [name, text] : environment) {
    if (!name.starts_with("TIPFLOW_") || text.empty()) continue;
    const auto& keys = configKeys();
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& k) { return k.environment == name; });
    if (key == keys.end()) {
      loaded.warnings.push_back(fmt::format("{} is not a setting of this release", name));
    } else {
      assign(loaded.config, *key, text, name);
    }
  }
  for (const auto& [name, text] : flags) {
    const auto* key = findKey(name);
    if (key == nullptr) throw ConfigError(fmt::format("unknown setting '{}'", name));
    assign(loaded.config, *key, text, "--set");
  }

  auto& config = loaded.config;
  for (const auto& key : configKeys()) {
    if (key.words.empty()) continue;
    const auto& value = config.*std::get<std::string Config::*>(key.field);
    if (std::find(key.words.begin(), key.words.end(), value) == key.words.end()) {
      throw ConfigError(
          fmt::format("{}: must be one of: {}", key.name, fmt::join(key.words, ", ")));
    }
  }
  if (!config.redisUrl.empty()) {
    try {
      (void)redis::Url::parse(config.redisUrl);
    } catch (const std::invalid_argument& wrong) {
      throw ConfigError(fmt::format("redis.url: {}", wrong.what()));
    }
  }
  if (!config.consulUrl.empty()) checkCluster(config);
  for (const auto& [key, networks] : {std::pair{"http.trusted_proxies", &config.trustedProxies},
                                      std::pair{"limits.exempt", &config.limitsExempt}}) {
    try {
      (void)NetworkSet::parse(*networks);
    } catch (const std::invalid_argument& wrong) {
      throw ConfigError(fmt::format("{}: {}", key, wrong.what()));
    }
  }
  if (!config.clusterKey.empty()) {
    const auto key = crypto::fromHex(config.clusterKey);
    if (!key || key->size() != 32) throw ConfigError("cluster.key: must be 64 hex digits");
  }
  if (!config.node.empty() && !http::isNodeName(config.node)) {
    throw ConfigError("node: must be 1 to 128 visible ASCII characters");
  }
  if (config.production && !config.requireSignature) {
    throw ConfigError("security.require_signature: must be true when production is");
  }
  if (config.db1Url.empty()) config.db1Url = "sqlite:" + config.dataDir + "/db1.sqlite";
  if (config.db2Url.empty()) config.db2Url = "sqlite:" + config.dataDir + "/db2.sqlite";
  for (const auto& [key, url] :
       {std::pair{"db1.url", &config.db1Url}, std::pair{"db2.url", &config.db2Url}}) {
    try {
      (void)db::Url::parse(*url);
    } catch (const std::invalid_argument& wrong) {
      throw ConfigError(fmt::format("{}: {}", key, wrong.what()));
    }
  }
  for (const auto& [key, urls] : {std::pair{"db1.replica_urls", &config.db1ReplicaUrls},
                                  std::pair{"db2.replica_urls", &config.db2ReplicaUrls}}) {
    try {
      (void)db::replicaUrls(*urls);
    } catch (const std::invalid_argument& wrong) {
      throw ConfigError(fmt::format("{}: {}", key, wrong.what()));
    }
  }
  return loaded;
}

std::string configReference() {
  std::string out =
      "Settings: a TOML file (--config), then the environment, then --set key=value. Some can be\n"
      "changed at run time, for all nodes: PUT /api/v1/admin/settings.\n\n";
  const Config defaults;
  for (const auto& key : configKeys()) {
    std::string value;
    if (const auto* field = std::get_if<std::string Config::*>(&key.field)) {
      value = fmt::format("\"{}\"", defaults.**field);
    } else if (const auto* flag = std::get_if<bool Config::*>(&key.field)) {
      value = defaults.**flag ? "true" : "false";
    } else {
      value = fmt::format("{} ({} to {})", defaults.*std::get<std::int64_t Config::*>(key.field),
                          key.least, key.most);
    }
    out += fmt::format("{:<32} {}\n    {}\n    default: {}{}\n", key.name, key.environment,
                       key.help, value, key.atRunTime ? "; can be changed at run time" : "");
  }
  return out;
}

}  // namespace tipflow
