#include "app/durability_watch.h"

#include <fmt/format.h>

#include <iostream>

#include "platform/config.h"
#include "platform/log.h"

namespace tipflow::app {

void DurabilityWatch::start(std::vector<db::Database*> databases, bool production) {
  databases_ = std::move(databases);
  std::string found;
  for (const auto* database : databases_) {
    const auto connection = database->connect();
    for (const auto& fault : note(*database, db::readDurability(*connection))) {
      found += fmt::format("\n       {} ({}): {}", database->name(), database->url().shown(),
                           fault.shown());
    }
  }
  if (found.empty()) return;
  if (production) {
    throw ConfigError("production: acknowledged tips could be lost with these databases:" + found);
  }
  std::cerr << "warning: acknowledged tips can be lost with these databases; with "
               "production = true this node would not start:"
            << found << '\n';
}

drogon::Task<> DurabilityWatch::lookAgain() {
  if (looking_) co_return;
  looking_ = true;
  for (auto* database : databases_) {
    try {
      const auto settings = co_await database->read(
          [](db::Connection& connection) { return db::readDurability(connection); });
      note(*database, settings);
    } catch (const db::Error& error) {
      // It is away, which is said elsewhere; the next look finds it.
    }
  }
  looking_ = false;
}

std::string DurabilityWatch::weaknessesOf(const db::Database& database) const {
  std::string words;
  const auto known = known_.find(&database);
  if (known == known_.end()) return words;
  for (const auto& fault : known->second) {
    words += fmt::format("{}{} is {}", words.empty() ? "" : ", ", fault.setting, fault.value);
  }
  return words;
}

std::vector<db::DurabilityFault> DurabilityWatch::note(const db::Database& database,
                                                       const db::DurabilitySettings& settings) {
  auto faults = db::durabilityFaults(database.url().dialect, settings);
  metrics_
      .gauge("tipflow_database_durability_faults",
             "Settings of a database that let acknowledged commits be lost.",
             {{"database", database.name()}})
      .Set(static_cast<double>(faults.size()));
  auto& known = known_[&database];
  if (faults != known) {
    for (const auto& fault : faults) {
      log::error("platform", "acknowledged commits can be lost",
                 log::field("database", database.name()), log::field("setting", fault.setting),
                 log::field("value", fault.value), log::field("needed", fault.needed),
                 log::field("risk", fault.risk), log::field("remedy", fault.remedy));
    }
    if (faults.empty()) {
      log::info("platform", "commits are durable again", log::field("database", database.name()));
    }
    known = faults;
  }
  return faults;
}

}  // namespace tipflow::app
