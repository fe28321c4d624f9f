// Both databases as operators see them: engine, schema, sizes, durability, replicas.
#pragma once

#include <drogon/utils/coroutine.h>

#include "console/database_model.h"
#include "platform/db/database.h"
#include "platform/db/replicas.h"

namespace tipflow::console {

/// A database, and what this node knows of it.
struct SeenDatabase {
  db::Database* database = nullptr;
  std::string schema;                      ///< its folder of migrations
  const db::Replicas* replicas = nullptr;  ///< none configured
};

class Databases {
 public:
  explicit Databases(std::vector<SeenDatabase> databases) : databases_(std::move(databases)) {}

  /// One that is away is there without what it would say.
  drogon::Task<ShownDatabases> all();

 private:
  std::vector<SeenDatabase> databases_;
};

}  // namespace tipflow::console
