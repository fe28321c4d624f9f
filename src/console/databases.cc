#include "console/databases.h"

#include "platform/db/durability.h"
#include "platform/db/inspect.h"
#include "platform/db/migrate.h"
#include "platform/log.h"

namespace tipflow::console {
namespace {

ShownSchema schemaOf(const std::vector<db::AppliedMigration>& applied, const std::string& folder) {
  ShownSchema schema;
  const auto known = db::embeddedMigrations(folder);
  schema.known = known.empty() ? 0 : known.back().number;
  for (const auto& [number, name, at] : applied) {
    schema.version = std::max<std::int64_t>(schema.version, number);
    schema.migrations.push_back({number, name, at});
  }
  return schema;
}

std::vector<ShownDurability> durabilityOf(db::Dialect dialect,
                                          const db::DurabilitySettings& settings) {
  const auto faults = db::durabilityFaults(dialect, settings);
  std::vector<ShownDurability> shown;
  for (const auto& [setting, value] : settings) {
    ShownDurability one{setting, value, std::nullopt};
    for (const auto& fault : faults) {
      if (fault.setting == setting) one.fault = fault.shown();
    }
    shown.push_back(std::move(one));
  }
  return shown;
}

void look(db::Connection& connection, const std::string& folder, ShownDatabase& shown) {
  auto found = db::inspect(connection);
  shown.engine = std::move(found.engine);
  shown.schema = schemaOf(found.migrations, folder);
  shown.bytes = found.bytes;
  for (auto& table : found.tables) {
    shown.tables.push_back({std::move(table.name), table.rows, table.bytes});
  }
  shown.durability = durabilityOf(connection.dialect(), db::readDurability(connection));
}

std::vector<ShownReplica> replicasOf(const db::Replicas* replicas) {
  std::vector<ShownReplica> shown;
  if (replicas == nullptr) return shown;
  for (auto& state : replicas->states()) {
    ShownReplica replica{std::move(state.url), state.read, std::nullopt, std::nullopt};
    if (state.lag) replica.lagMs = state.lag->count() / kUsPerMs;
    if (!state.detail.empty()) replica.detail = std::move(state.detail);
    shown.push_back(std::move(replica));
  }
  return shown;
}

}  // namespace

drogon::Task<ShownDatabases> Databases::all() {
  ShownDatabases databases;
  for (const auto& [database, folder, replicas] : databases_) {
    ShownDatabase empty;
    empty.name = database->name();
    empty.url = database->url().shown();
    empty.replicas = replicasOf(replicas);
    ShownDatabase shown = empty;
    try {
      shown = co_await database->read([&](db::Connection& connection) {
        ShownDatabase seen = empty;
        look(connection, folder, seen);
        return seen;
      });
    } catch (const db::Error& away) {
      shown.available = false;
      log::warn("console", "a database cannot be looked at",
                log::field("database", database->name()),
                log::field("error", std::string_view(away.what())));
    }
    databases.items.push_back(std::move(shown));
  }
  co_return databases;
}

}  // namespace tipflow::console
