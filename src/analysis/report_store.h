// What reports read: the cube and its sums, never the ledger. SQL in, types out.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "analysis/gathering.h"
#include "analysis/rules.h"
#include "platform/db/connection.h"

namespace tipflow::analysis::store {

/// A question to the cube. `wholeDays`: the business days that lie in the range whole, and where
/// they begin and end.
struct CubeQuestion {
  HourRange range;
  Groups groups;
  CubeFilter filter;
  struct Days {
    std::int64_t first = 0;
    std::int64_t end = 0;
    HourRange hours;
  };
  std::optional<Days> wholeDays;
};

/// hour, anchor, anchor's gender, viewer's gender; 0 for what is not grouped by.
using CubeKey = std::array<std::int64_t, 4>;
/// In the order of the keys; more than kMostItems are cut. Without a group one sum, also of
/// nothing.
std::map<CubeKey, Sum> cube(db::Connection& connection, const CubeQuestion& question);

/// Who paid on which business day, [first, end); days without anybody are left out.
std::map<std::int64_t, ViewerSet> payers(db::Connection& connection, std::int64_t first,
                                         std::int64_t end);

}  // namespace tipflow::analysis::store
