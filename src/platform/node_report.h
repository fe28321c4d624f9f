// What a node tells the others about itself, for operators: served under /internal by each, put
// together by the console role.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "platform/json.h"

namespace tipflow {

inline constexpr const char* kNodeReportPath = "/internal/v1/node";

struct NodeReport {
  /// What the node accepts; of a node with the role audience.
  struct Tips {
    double perSecond = 0;  ///< over the last ten seconds
    std::int64_t waiting = 0;
    std::int64_t lagMs = 0;  ///< age of the oldest tip that is not settled
  };
  /// What was settled since midnight of the business day; of a node with the role finance.
  struct Day {
    Time from;
    std::int64_t tips = 0;
    Fen amount;
  };
  std::string version;
  Time startedAt;
  std::optional<Tips> tips;
  std::optional<Day> today;
};
BOOST_DESCRIBE_STRUCT(NodeReport::Tips, (), (perSecond, waiting, lagMs))
BOOST_DESCRIBE_STRUCT(NodeReport::Day, (), (from, tips, amount))
BOOST_DESCRIBE_STRUCT(NodeReport, (), (version, startedAt, tips, today))

/// nullopt when it is no report. What a newer release adds is left aside.
std::optional<NodeReport> readNodeReport(std::string_view json);

}  // namespace tipflow
