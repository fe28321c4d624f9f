// What nodes with the role console tell others: the JSON of /internal/v1/ip-blocks and
// /internal/v1/settings. Pure types.
#pragma once

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

}  // namespace tipflow::console::wire
