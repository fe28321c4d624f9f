#include "app/keys_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include "finance/payout_store.h"
#include "platform/db/connection.h"
#include "platform/security/key_source.h"
#include "platform/security/tokens.h"

namespace tipflow::app {
namespace {

constexpr const char* kFooter =
    R"(Keys stand in the data directory, data-keys and token-key, the newest first; running nodes
read a changed file again within seconds. Where security.data_keys or security.token_key is
set, the keys are that setting's: change it and restart the nodes.
See docs/operations/keys.md.)";

constexpr std::chrono::milliseconds kLookAgain{200};
// A node seals a hundred rows every two seconds.
constexpr std::chrono::seconds kPatience{60};

// Nodes sign with a new token key a moment after it was made.
constexpr Duration kTokensExpire{kPersonLifetime + Duration{60 * kUsPerSecond}};

using RowsByKey = std::map<std::string, std::int64_t>;

/// The keys may not be changed like this; the text says why, and what to do.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

const std::string& settingOf(const Config& config, KeyKind kind) {
  return kind == KeyKind::data ? config.dataKeys : config.tokenKey;
}

std::string ageOf(Duration age) {
  const auto seconds = std::max<std::int64_t>(0, age.count() / kUsPerSecond);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3'600) return fmt::format("{} min", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{} h", seconds / 3'600);
  return fmt::format("{} d", seconds / 86'400);
}

/// Looking must not make a database that is not there: nullptr.
std::unique_ptr<db::Connection> openDb2(const Config& config) {
  const auto url = db::Url::parse(config.db2Url);
  if (url.dialect == db::Dialect::sqlite && !std::filesystem::exists(url.file)) return nullptr;
  return db::connect(url);
}

RowsByKey rowsByKey(const Config& config) {
  const auto db2 = openDb2(config);
  return db2 ? finance::store::payoutAccountsByKey(*db2) : RowsByKey{};
}

std::int64_t rowsUnder(const RowsByKey& rows, const std::string& id) {
  const auto found = rows.find(id);
  return found == rows.end() ? 0 : found->second;
}

void printRow(std::ostream& out, std::string_view id, std::string_view made, std::string_view age,
              std::string_view use, std::string_view rows) {
  const auto line = fmt::format("  {:<12} {:<24} {:>8}  {:<8}  {}", id, made, age, use, rows);
  out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
}

/// `rows` where they matter and could be counted.
void printKeys(KeyKind kind, const KeyList& keys, const std::optional<RowsByKey>& rows,
               std::ostream& out) {
  const bool data = kind == KeyKind::data;
  printRow(out, "id", "made", "age", "use", data ? "rows" : "");
  const Time now = SystemClock{}.now();
  for (const auto& key : keys) {
    const bool first = &key == &keys.front();
    const auto* use = data ? (first ? "seals" : "opens") : (first ? "signs" : "verifies");
    const auto count = rows ? std::to_string(rowsUnder(*rows, key.id)) : std::string("?");
    printRow(out, key.id, key.madeAt ? formatTime(*key.madeAt) : "not known",
             key.madeAt ? ageOf(now - *key.madeAt) : "", use, data ? count : "");
  }
  if (!rows) return;
  for (const auto& [id, count] : *rows) {
    if (findKey(keys, id) == nullptr) {
      printRow(out, id, "is MISSING", "", "", std::to_string(count));
    }
  }
}

int list(const Config& config, std::ostream& out) {
  std::optional<RowsByKey> rows;
  try {
    rows = rowsByKey(config);
  } catch (const db::Error& error) {
    std::cerr << "warning: the rows cannot be counted: " << error.what() << '\n';
  }
  for (const auto kind : {KeyKind::data, KeyKind::token}) {
    const auto& setting = settingOf(config, kind);
    const auto file = keyFile(kind, config.dataDir);
    const auto from = setting.empty() ? file : std::string(keySettingName(kind));
    out << fmt::format("{} keys, in {}\n", word(kind), from);
    if (setting.empty() && !std::filesystem::exists(file)) {
      out << "  none yet: a node makes the first one when it starts\n";
      continue;
    }
    KeySource source(kind, setting, file);
    const auto keys = source.keys();
    printKeys(kind, *keys, kind == KeyKind::data ? rows : std::nullopt, out);
  }
  return 0;
}

/// Keys of a setting are not this command's to change.
void requireFile(const Config& config, KeyKind kind, const char* instead) {
  if (!settingOf(config, kind).empty()) {
    throw Refusal(fmt::format("the {} keys are those of {}: {}, and restart the nodes", word(kind),
                              keySettingName(kind), instead));
  }
  const auto file = keyFile(kind, config.dataDir);
  if (!std::filesystem::exists(file)) {
    throw Refusal(file + " does not exist: a node makes it when it starts");
  }
}

std::int64_t rowsUnderOlder(const Config& config, const KeyList& keys) {
  const auto rows = rowsByKey(config);
  std::int64_t count = 0;
  for (auto key = std::next(keys.begin()); key != keys.end(); ++key) {
    count += rowsUnder(rows, key->id);
  }
  return count;
}

/// Until no row is left under older keys; 1 when nothing moves any more.
int waitForRows(const Config& config, const KeyList& keys, std::ostream& out) {
  using Steady = std::chrono::steady_clock;
  auto left = rowsUnderOlder(config, keys);
  auto moved = Steady::now();
  while (left > 0) {
    std::this_thread::sleep_for(kLookAgain);
    const auto now = rowsUnderOlder(config, keys);
    if (now != left) moved = Steady::now();
    left = now;
    if (Steady::now() - moved > kPatience) {
      out << fmt::format(
          "{} rows are still under older keys, and none was encrypted again for "
          "{} s: does a node with the role finance run?\n",
          left, kPatience.count());
      return 1;
    }
  }
  out << "no row is left under older keys\n";
  return 0;
}

int rotate(const Config& config, const KeysOptions& options, std::ostream& out) {
  const bool data = options.kind == KeyKind::data;
  requireFile(config, options.kind,
              data ? "put a new one, id:$(openssl rand -hex 32), in front of them"
                   : "put a new one, $(openssl rand -hex 32), in front of them");
  KeyList after;
  changeKeyFile(options.kind, keyFile(options.kind, config.dataDir), [&](KeyList& keys) {
    keys.insert(keys.begin(), newKey(options.kind, SystemClock{}.now()));
    after = keys;
  });
  out << fmt::format("the {} key {} {} from now on\n", word(options.kind), after.front().id,
                     data ? "encrypts" : "signs");
  return data && options.wait ? waitForRows(config, after, out) : 0;
}

/// Which list the key is in.
KeyKind kindOfKey(const Config& config, const std::string& id) {
  for (const auto kind : {KeyKind::data, KeyKind::token}) {
    const auto& setting = settingOf(config, kind);
    const auto file = keyFile(kind, config.dataDir);
    if (setting.empty() && !std::filesystem::exists(file)) continue;
    KeySource source(kind, setting, file);
    if (findKey(*source.keys(), id) == nullptr) continue;
    requireFile(config, kind, "take it out there when nothing uses it");
    return kind;
  }
  throw Refusal(fmt::format("there is no key {} ('tipflow keys list' shows all)", id));
}

/// Tokens of before the next key was in use are good until they expire.
void requireTokensExpired(const KeyList& keys, const std::string& id) {
  const auto next = std::prev(
      std::find_if(keys.begin(), keys.end(), [&](const NamedKey& key) { return key.id == id; }));
  const Time now = SystemClock{}.now();
  if (next->madeAt && now > *next->madeAt + kTokensExpire) return;
  const auto until = next->madeAt ? "until " + formatTime(*next->madeAt + kTokensExpire)
                                  : "for 12 hours after the key in front of it was made";
  throw Refusal(
      fmt::format("tokens under the key {} may be in use {}; with --force whoever "
                  "holds one must log in again",
                  id, until));
}

void dropFrom(const Config& config, KeyKind kind, const std::string& id,
              const std::function<void(const KeyList&)>& check) {
  changeKeyFile(kind, keyFile(kind, config.dataDir), [&](KeyList& keys) {
    if (keys.front().id == id) {
      throw Refusal(fmt::format("the key {} is the one in use: rotate first", id));
    }
    check(keys);
    std::erase_if(keys, [&](const NamedKey& key) { return key.id == id; });
  });
}

void dropDataKey(const Config& config, const std::string& id) {
  const auto db2 = openDb2(config);
  if (!db2) throw Refusal("DB2 does not exist: whether rows use the key cannot be seen");
  db::transact(*db2, [&](db::Connection& connection) {
    // While this is held nobody seals, and whoever seals after it reads the changed file.
    finance::store::holdDataKeys(connection);
    dropFrom(config, KeyKind::data, id, [&](const KeyList&) {
      const auto rows = rowsUnder(finance::store::payoutAccountsByKey(connection), id);
      if (rows == 0) return;
      throw Refusal(
          fmt::format("{} rows are still under the key {}: a node with the role finance "
                      "encrypts them again, some every two seconds",
                      rows, id));
    });
  });
}

int drop(const Config& config, const KeysOptions& options, std::ostream& out) {
  const auto kind = kindOfKey(config, options.id);
  if (kind == KeyKind::data) {
    dropDataKey(config, options.id);
  } else {
    dropFrom(config, kind, options.id, [&](const KeyList& keys) {
      if (!options.force) requireTokensExpired(keys, options.id);
    });
  }
  out << fmt::format("the {} key {} is gone\n", word(kind), options.id);
  return 0;
}

}  // namespace

CLI::App* addKeysCommand(CLI::App& cli, KeysOptions& options,
                         const std::function<CLI::App*(CLI::App*)>& withSettings) {
  auto* keys = cli.add_subcommand("keys", "list, rotate and drop the keys of data and tokens");
  keys->require_subcommand(1);
  keys->footer(kFooter);
  const auto add = [&](const char* name, const char* help, KeysOptions::Action action) {
    auto* command = withSettings(keys->add_subcommand(name, help));
    command->callback([&options, action] { options.action = action; });
    return command;
  };
  add("list", "ids and ages, which one is in use, how many rows are under each; never the keys",
      KeysOptions::Action::list);
  auto* rotate = add("rotate", "make a new key, which is used from now on; the older ones stay",
                     KeysOptions::Action::rotate);
  static const std::map<std::string, KeyKind> kKinds{{"data", KeyKind::data},
                                                     {"token", KeyKind::token}};
  rotate->add_option("--kind", options.kind, "data (encrypts at rest) or token (signs) [data]")
      ->transform(CLI::CheckedTransformer(kKinds))
      ->option_text("data|token");
  rotate->add_flag("--wait", options.wait,
                   "until the running node has encrypted all rows under the new data key; exit 1 "
                   "when none moves for 60 s");
  auto* drop = add("drop", "take an older key away; refused while rows or tokens use it: exit 1",
                   KeysOptions::Action::drop);
  drop->add_option("id", options.id, "as 'tipflow keys list' shows it")->required();
  drop->add_flag("--force", options.force,
                 "a token key although tokens under it may be in use: they are dead at once");
  return keys;
}

int keys(const Config& config, const KeysOptions& options, std::ostream& out) {
  try {
    switch (options.action) {
      case KeysOptions::Action::list:
        return list(config, out);
      case KeysOptions::Action::rotate:
        return rotate(config, options, out);
      case KeysOptions::Action::drop:
        return drop(config, options, out);
    }
  } catch (const Refusal& refusal) {
    std::cerr << "refused: " << refusal.what() << '\n';
  }
  return 1;
}

}  // namespace tipflow::app
