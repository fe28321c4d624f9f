#include "console/block_store.h"

#include <fmt/format.h>

namespace tipflow::console::store {
namespace {

constexpr const char* kBlocks = R"(
  SELECT b.id, b.network, b.reason, b.until, b.created_at, b.created_by, u.name
  FROM ip_block b LEFT JOIN operator_user u ON u.id = b.created_by
  WHERE (b.until IS NULL OR b.until > ?))";

Block readBlock(const db::Row& row) {
  return {row.integer(0),
          std::string(row.text(1)),
          std::string(row.text(2)),
          row.optionalTime(3),
          row.time(4),
          row.isNull(6) ? std::to_string(row.integer(5)) : std::string(row.text(6))};
}

}  // namespace

std::vector<Block> blocks(db::Connection& connection, Time now, std::int64_t before, int limit) {
  std::vector<Block> found;
  connection.query(fmt::format("{} AND b.id < ? ORDER BY b.id DESC LIMIT ?", kBlocks),
                   {now, before, limit},
                   [&](const db::Row& row) { found.push_back(readBlock(row)); });
  return found;
}

std::optional<Block> block(db::Connection& connection, std::int64_t id, Time now) {
  std::optional<Block> found;
  connection.query(fmt::format("{} AND b.id = ?", kBlocks), {now, id},
                   [&](const db::Row& row) { found = readBlock(row); });
  return found;
}

std::vector<std::string> blockedNetworks(db::Connection& connection, Time now) {
  std::vector<std::string> found;
  connection.query("SELECT network FROM ip_block WHERE until IS NULL OR until > ?", {now},
                   [&](const db::Row& row) { found.emplace_back(row.text(0)); });
  return found;
}

std::int64_t addBlock(db::Connection& connection, const std::string& network,
                      const std::string& reason, std::optional<Time> until, std::int64_t by,
                      Time now) {
  connection.exec("DELETE FROM ip_block WHERE network = ? OR until <= ?", {network, now});
  return connection
      .exec(
          "INSERT INTO ip_block (network, reason, until, created_at, created_by) "
          "VALUES (?, ?, ?, ?, ?)",
          {network, reason, until, now, by})
      .lastId;
}

void deleteBlock(db::Connection& connection, std::int64_t id) {
  connection.exec("DELETE FROM ip_block WHERE id = ?", {id});
}

}  // namespace tipflow::console::store
