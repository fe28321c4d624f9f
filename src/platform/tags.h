// Tags of one kind of entity: a table of (entity, tag, place). Each role has its own table and one
// of these.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "platform/db/connection.h"
#include "platform/db/like.h"
#include "platform/json.h"

namespace tipflow {

/// Tags as they come in a body: at most 20, each 1 to 32 characters.
using TagList = json::List<Text<1, 32>, 0, 20>;

/// Without repeats, in the order given.
inline std::vector<std::string> tagsOf(const TagList& list) {
  std::vector<std::string> tags;
  for (const auto& tag : list.items) {
    if (std::find(tags.begin(), tags.end(), tag.value) == tags.end()) tags.push_back(tag.value);
  }
  return tags;
}

class TagTable {
 public:
  TagTable(std::string table, std::string key) : table_(std::move(table)), key_(std::move(key)) {}

  void replace(db::Connection& connection, std::int64_t entity,
               const std::vector<std::string>& tags) const {
    connection.exec(fmt::format("DELETE FROM {} WHERE {} = ?", table_, key_), {entity});
    std::vector<db::Param> values;
    for (std::size_t place = 0; place < tags.size(); ++place) {
      values.insert(values.end(), {entity, tags[place], place});
    }
    if (!tags.empty()) {
      connection.insertRows(fmt::format("INSERT INTO {} ({}, tag, place)", table_, key_), 3, values,
                            "");
    }
  }

  /// onTag(tag, how many carry it) for each tag in use, in byte order, beyond `after`, that holds
  /// `part` where it is given.
  template <class OnTag>
  void use(db::Connection& connection, const std::optional<std::string>& part,
           const std::string& after, int limit, OnTag onTag) const {
    const auto pattern = part ? db::containsPattern(*part) : std::string("%");
    connection.query(fmt::format("SELECT tag, COUNT(*) FROM {} WHERE tag > ? AND tag LIKE ? ESCAPE "
                                 "'!' GROUP BY tag ORDER BY tag LIMIT ?",
                                 table_),
                     {after, pattern, limit},
                     [&](const db::Row& row) { onTag(row.text(0), row.integer(1)); });
  }

  /// entity -> its tags in the order they were given, for the entities in `wanted`.
  std::map<std::int64_t, std::vector<std::string>> of(
      db::Connection& connection, const std::vector<std::int64_t>& wanted) const {
    std::map<std::int64_t, std::vector<std::string>> tags;
    if (wanted.empty()) return tags;
    std::string places = "?";
    for (std::size_t i = 1; i < wanted.size(); ++i) places += ",?";
    const std::vector<db::Param> params(wanted.begin(), wanted.end());
    connection.query(fmt::format("SELECT {}, tag FROM {} WHERE {} IN ({}) ORDER BY place", key_,
                                 table_, key_, places),
                     params,
                     [&](const db::Row& row) { tags[row.integer(0)].emplace_back(row.text(1)); });
    return tags;
  }

 private:
  std::string table_;
  std::string key_;
};

}  // namespace tipflow
