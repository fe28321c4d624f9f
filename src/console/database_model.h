// Databases as the API shows them.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "platform/json.h"

namespace tipflow::console {

struct ShownMigration {
  std::int64_t number = 0;
  std::string name;
  Time appliedAt;
};
BOOST_DESCRIBE_STRUCT(ShownMigration, (), (number, name, appliedAt))

struct ShownSchema {
  std::int64_t version = 0;
  std::int64_t known = 0;  ///< what this release brings a database to
  std::vector<ShownMigration> migrations;
};
BOOST_DESCRIBE_STRUCT(ShownSchema, (), (version, known, migrations))

struct ShownTable {
  std::string name;
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> bytes;
};
BOOST_DESCRIBE_STRUCT(ShownTable, (), (name, rows, bytes))

struct ShownDurability {
  std::string setting;
  std::string value;
  std::optional<std::string> fault;  ///< what may be lost, and how to set it right
};
BOOST_DESCRIBE_STRUCT(ShownDurability, (), (setting, value, fault))

struct ShownReplica {
  std::string url;
  bool read = false;
  std::optional<std::int64_t> lagMs;
  std::optional<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(ShownReplica, (), (url, read, lagMs, detail))

struct ShownDatabase {
  std::string name;
  std::string url;
  bool available = true;
  std::optional<std::string> engine;
  std::optional<ShownSchema> schema;
  std::optional<std::int64_t> bytes;
  std::vector<ShownTable> tables;
  std::vector<ShownDurability> durability;
  std::vector<ShownReplica> replicas;
};
BOOST_DESCRIBE_STRUCT(ShownDatabase, (),
                      (name, url, available, engine, schema, bytes, tables, durability, replicas))

struct ShownDatabases {
  std::vector<ShownDatabase> items;
};
BOOST_DESCRIBE_STRUCT(ShownDatabases, (), (items))

}  // namespace tipflow::console
