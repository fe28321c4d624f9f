// Settings that an admin changes while nodes run. They are kept here; each node takes them up by
// itself (app/settings_watch.h).
#pragma once

#include "console/alert_store.h"
#include "platform/db/database.h"
#include "platform/http/call.h"

namespace tipflow::console {

/// Setting -> its new value; nullopt takes it back to what nodes are configured with.
using SettingChanges = std::map<std::string, std::optional<std::string>>;

/// Reads a body such as `{"log.level": "debug", "alerts.key_age_days": null}`; throws BadRequest
/// with each setting at fault.
SettingChanges readSettingChanges(std::string_view body);

/// The values of those that `changes` names, as JSON: for the operators' log.
std::string valuesOf(const ShownSettings& settings, const SettingChanges& changes);

/// All settings, before and after a change.
struct ChangedSettings {
  ShownSettings before;
  ShownSettings after;
};

class Settings {
 public:
  /// `configured`: what this node was started with; must outlive it.
  Settings(db::Database& db2, const Config& configured, const Clock& clock)
      : db2_(db2), configured_(configured), clock_(clock) {}

  drogon::Task<ShownSettings> all();
  /// All of them or none.
  drogon::Task<ChangedSettings> change(SettingChanges changes, std::int64_t by);

 private:
  [[nodiscard]] ShownSettings shown(
      const std::map<std::string, store::StoredSetting>& stored) const;

  db::Database& db2_;
  const Config& configured_;
  const Clock& clock_;
};

}  // namespace tipflow::console
