// Whether what a database acknowledged survives a crash and a power failure, judged by the settings
// in effect. `durabilityFaults` decides and is pure; `readDurability` only asks. Nothing is
// changed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::db {

/// What a database says of itself: setting -> value. A setting that it does not know is absent.
using DurabilitySettings = std::map<std::string, std::string>;

/// A setting that lets an acknowledged commit be lost.
struct DurabilityFault {
  std::string setting;
  std::string value;
  std::string needed;
  std::string risk;    ///< what may be lost, and when
  std::string remedy;  ///< how to set it

  /// One line for people, without the database's name.
  [[nodiscard]] std::string shown() const;
  friend bool operator==(const DurabilityFault&, const DurabilityFault&) = default;
};

/// The settings as they are in effect for `connection`.
DurabilitySettings readDurability(Connection& connection);

/// Of Galera's `wsrep_provider_options` (`a = b; c = d`), those that durability rests on.
DurabilitySettings groupSettings(std::string_view options);

/// Empty when every acknowledged commit is on disk before it is acknowledged.
[[nodiscard]] std::vector<DurabilityFault> durabilityFaults(Dialect dialect,
                                                            const DurabilitySettings& settings);

}  // namespace tipflow::db
