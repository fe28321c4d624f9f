// What nodes with the role console tell others, and are told: the JSON of /internal/v1/ip-blocks,
// /internal/v1/settings and /internal/v1/conditions, and its translation. Pure.
#pragma once

#include <limits>

#include "platform/condition_sink.h"
#include "platform/json.h"

namespace tipflow::console::wire {

using Words = Secret<0, 65'536>;

/// Networks that are blocked now, such as `203.0.113.0/24`.
struct Blocked {
  json::List<Words, 0, 1'000'000> networks;
};
BOOST_DESCRIBE_STRUCT(Blocked, (), (networks))

struct Setting {
  Words name;
  Words value;
};
BOOST_DESCRIBE_STRUCT(Setting, (), (name, value))
/// Settings that were changed at run time.
struct Settings {
  json::List<Setting, 0, 10'000> settings;
};
BOOST_DESCRIBE_STRUCT(Settings, (), (settings))

using Microseconds = Ranged<0, std::numeric_limits<std::int64_t>::max()>;

struct Watched {
  Words rule;
  Words subject;
  Severity severity = Severity::warning;
  ConditionState state = ConditionState::settling;
  Words detail;
  Microseconds since;
};
BOOST_DESCRIBE_STRUCT(Watched, (), (rule, subject, severity, state, detail, since))
/// Body of POST /internal/v1/conditions: everything that a node watches.
struct Conditions {
  Words node;
  Microseconds at;
  json::List<Watched, 0, 10'000> conditions;
};
BOOST_DESCRIBE_STRUCT(Conditions, (), (node, at, conditions))
/// Its answer: they are kept.
struct Kept {
  bool kept = true;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (kept))

[[nodiscard]] inline Conditions toWire(ConditionReport report) {
  Conditions told{{std::move(report.node)}, {report.at.us}, {}};
  for (auto& one : report.conditions) {
    told.conditions.items.push_back({{std::move(one.rule)},
                                     {std::move(one.subject)},
                                     one.severity,
                                     one.state,
                                     {std::move(one.detail)},
                                     {one.since.us}});
  }
  return told;
}
[[nodiscard]] inline ConditionReport fromWire(Conditions told) {
  ConditionReport report{std::move(told.node.value), Time{told.at.value}, {}};
  for (auto& one : told.conditions.items) {
    report.conditions.push_back({std::move(one.rule.value), std::move(one.subject.value),
                                 one.severity, one.state, std::move(one.detail.value),
                                 Time{one.since.value}});
  }
  return report;
}

}  // namespace tipflow::console::wire
