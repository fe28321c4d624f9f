#include "platform/db/durability.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tipflow::db {
namespace {

constexpr const char* kServerSettings =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', "
    "'innodb_doublewrite', 'innodb_flush_method', 'log_bin', 'sync_binlog', "
    "'wsrep_provider_options')";

// Of Galera's options, `name = value; ...`, those that let a node commit what its group does not
// have.
constexpr std::array kGroupOptions{"pc.ignore_quorum", "pc.ignore_sb"};

// Only MySQL 8 has it: ALTER INSTANCE DISABLE INNODB REDO_LOG.
constexpr const char* kServerRedoLog = "SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_enabled'";

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// What a file lies on, as far as it matters: `memory` or `disk`.
std::string mediumOf(const std::string& file) {
  struct statfs about{};
  if (file.empty() || statfs(file.c_str(), &about) != 0) return "memory";
  const auto type = static_cast<unsigned long>(about.f_type);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC ? "memory" : "disk";
}

DurabilitySettings readSqlite(Connection& connection) {
  DurabilitySettings settings;
  for (const char* pragma : {"journal_mode", "synchronous"}) {
    connection.query(fmt::format("PRAGMA {}", pragma), {},
                     [&](const Row& row) { settings[pragma] = lower(row.text(0)); });
  }
  connection.query("PRAGMA database_list", {}, [&](const Row& row) {
    if (row.text(1) == "main") settings["medium"] = mediumOf(std::string(row.text(2)));
  });
  return settings;
}

DurabilitySettings readServer(Connection& connection) {
  DurabilitySettings settings;
  const auto take = [&](const Row& row) { settings[lower(row.text(0))] = lower(row.text(1)); };
  connection.query(kServerSettings, {}, take);
  connection.query(kServerRedoLog, {}, take);
  const auto options = settings.extract("wsrep_provider_options");
  if (!options.empty()) settings.merge(groupSettings(options.mapped()));
  return settings;
}

/// The settings under judgement, and the faults found so far.
struct Judge {
  const DurabilitySettings& settings;
  std::vector<DurabilityFault> faults;

  [[nodiscard]] std::string value(const std::string& setting) const {
    const auto found = settings.find(setting);
    return found == settings.end() ? std::string{} : found->second;
  }
  [[nodiscard]] bool isOneOf(const std::string& setting,
                             std::initializer_list<std::string_view> words) const {
    return std::find(words.begin(), words.end(), value(setting)) != words.end();
  }
  void fault(const std::string& setting, const std::string& needed, const std::string& risk,
             const std::string& remedy) {
    const auto now = value(setting);
    faults.push_back({setting, now.empty() ? "unknown" : now, needed, risk, remedy});
  }
};

std::string inServerFile(const std::string& line) {
  return fmt::format("put '{}' under [mysqld] in the server's configuration and restart it", line);
}

void judgeServer(Judge& judge) {
  // 3 (MariaDB) syncs the commit as 1 does, and once more with a binary log.
  if (!judge.isOneOf("innodb_flush_log_at_trx_commit", {"1", "3"})) {
    judge.fault("innodb_flush_log_at_trx_commit", "1",
                "the last second of commits is lost when the machine fails",
                "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and the same under [mysqld] in the "
                "server's configuration");
  }
  // With a binary log and 1, InnoDB syncs only the preparation: recovery commits what it finds in
  // the binary log and rolls back the rest. So an unsynced binary log loses commits here, on the
  // primary, not only on replicas.
  if (judge.isOneOf("log_bin", {"on", "1"}) && !judge.isOneOf("sync_binlog", {"1"}) &&
      !judge.isOneOf("innodb_flush_log_at_trx_commit", {"3"})) {
    judge.fault("sync_binlog", "1",
                "with log_bin on, recovery rolls back what the binary log does not hold: the last "
                "commits are lost when the machine fails, and replicas differ",
                "SET GLOBAL sync_binlog = 1, and the same under [mysqld] in the server's "
                "configuration");
  }
  if (judge.isOneOf("innodb_doublewrite", {"off", "0", "detect_only"})) {
    judge.fault("innodb_doublewrite", "on",
                "a page that was half written when the machine failed cannot be repaired",
                inServerFile("innodb_doublewrite = ON"));
  }
  if (judge.isOneOf("innodb_flush_method", {"nosync", "littlesync"})) {
    judge.fault("innodb_flush_method", "the server's default",
                "nothing is synced to disk in time, whatever the other settings say",
                "remove innodb_flush_method from the server's configuration and restart it");
  }
  for (const char* option : kGroupOptions) {
    if (!judge.isOneOf(option, {"true", "yes", "on", "1"})) continue;
    judge.fault(
        option, "false",
        "a node of Galera without a majority goes on committing, which is lost when it meets "
        "the others again",
        fmt::format("SET GLOBAL wsrep_provider_options = '{}=false' on each node, and the same "
                    "under [mysqld] in the servers' configuration",
                    option));
  }
  if (judge.isOneOf("innodb_redo_log_enabled", {"off"})) {
    judge.fault("innodb_redo_log_enabled", "on", "the server does not come back from any crash",
                "ALTER INSTANCE ENABLE INNODB REDO_LOG");
  }
}

void judgeSqlite(Judge& judge) {
  if (!judge.isOneOf("synchronous", {"2", "3"})) {
    judge.fault("synchronous", "2 (FULL)", "the last commits are lost when the machine fails",
                "use a SQLite library that is not built to weaken it");
  }
  if (!judge.isOneOf("journal_mode", {"wal"})) {
    judge.fault("journal_mode", "wal",
                "a commit may be torn or lost when the machine fails, and readers stop writers",
                "put the file on a local disk");
  }
  if (!judge.isOneOf("medium", {"disk"})) {
    judge.fault("medium", "disk", "everything is lost when the machine fails",
                "put the file on a disk (TIPFLOW_DATA_DIR, db1.url, db2.url)");
  }
}

}  // namespace

std::string DurabilityFault::shown() const {
  return fmt::format("{} is {}, must be {}: {}. To set it: {}.", setting, value, needed, risk,
                     remedy);
}

DurabilitySettings groupSettings(std::string_view options) {
  DurabilitySettings settings;
  const auto trimmed = [](std::string_view text) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::string_view{};
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
  };
  while (!options.empty()) {
    const auto one = options.substr(0, options.find(';'));
    options.remove_prefix(std::min(options.size(), one.size() + 1));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = trimmed(one.substr(0, equals));
    if (std::find(kGroupOptions.begin(), kGroupOptions.end(), name) == kGroupOptions.end())
      continue;
    settings[std::string(name)] = lower(trimmed(one.substr(equals + 1)));
  }
  return settings;
}

DurabilitySettings readDurability(Connection& connection) {
  return connection.dialect() == Dialect::sqlite ? readSqlite(connection) : readServer(connection);
}

std::vector<DurabilityFault> durabilityFaults(Dialect dialect, const DurabilitySettings& settings) {
  Judge judge{settings, {}};
  switch (dialect) {
    case Dialect::sqlite:
      judgeSqlite(judge);
      break;
    case Dialect::mysql:
      judgeServer(judge);
      break;
  }
  return judge.faults;
}

}  // namespace tipflow::db
