// The tables `alert` and `setting` in DB2: SQL in, types out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "console/alert_model.h"
#include "platform/db/connection.h"
#include "platform/runtime_settings.h"

namespace tipflow::console::store {

struct OpenAlert {
  std::int64_t id = 0;
  std::string rule;
  std::string subject;
  std::string node;
  Severity severity = Severity::warning;
  Time heardAt;  ///< when its node was last heard
};
std::vector<OpenAlert> openAlerts(db::Connection& connection);

/// The new alert; nullopt when one of the same rule and subject is open already.
std::optional<std::int64_t> raise(db::Connection& connection, const std::string& node,
                                  const Condition& condition);
/// False when it was not open. `more` is added to its detail.
bool resolve(db::Connection& connection, std::int64_t id, Time at, const std::string& more);
/// A node with open alerts is there.
void heard(db::Connection& connection, const std::string& node, Time at);
/// False when it is not open, or was acknowledged before.
bool acknowledge(db::Connection& connection, std::int64_t id, std::int64_t by, Time at);

std::optional<Alert> alert(db::Connection& connection, std::int64_t id);
struct AlertFilter {
  std::optional<AlertState> state;
  std::optional<Severity> severity;
};
/// Newest first, those below `before`.
std::vector<Alert> alerts(db::Connection& connection, const AlertFilter& filter,
                          std::int64_t before, int limit);

struct StoredSetting {
  std::string value;
  Time changedAt;
  std::string changedBy;
};
std::map<std::string, StoredSetting> settings(db::Connection& connection);
SettingTexts settingTexts(db::Connection& connection);
/// nullopt takes the setting back to what nodes are configured with.
void changeSetting(db::Connection& connection, const std::string& name,
                   const std::optional<std::string>& value, std::int64_t by, Time at);

}  // namespace tipflow::console::store
