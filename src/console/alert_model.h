// Alerts and run-time settings as the API shows them.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "platform/conditions.h"
#include "platform/json.h"

namespace tipflow::console {

enum class AlertState { raised, acknowledged, resolved };

struct Alert {
  std::int64_t id = 0;
  std::string rule;
  std::string subject;
  Severity severity = Severity::warning;
  AlertState state = AlertState::raised;
  std::string detail;  ///< as it was when it was raised
  Time raisedAt;
  std::optional<Time> acknowledgedAt;
  std::optional<std::string> acknowledgedBy;
  std::optional<Time> resolvedAt;
};
BOOST_DESCRIBE_STRUCT(Alert, (),
                      (id, rule, subject, severity, state, detail, raisedAt, acknowledgedAt,
                       acknowledgedBy, resolvedAt))

/// What a webhook is told.
struct AlertNews {
  AlertState event = AlertState::raised;
  Alert alert;
};
BOOST_DESCRIBE_STRUCT(AlertNews, (), (event, alert))

/// A number, or a word.
struct SettingValue {
  std::string text;
  bool number = false;
};
inline void write(std::string& out, const SettingValue& value) {
  if (value.number) {
    out += value.text;
  } else {
    json::write(out, value.text);
  }
}

struct ShownSetting {
  std::string key;
  SettingValue value;
  SettingValue configured;  ///< what it is on this node when nobody has changed it
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
  std::vector<std::string> words;
  std::string help;
  std::optional<Time> changedAt;
  std::optional<std::string> changedBy;
};
BOOST_DESCRIBE_STRUCT(ShownSetting, (),
                      (key, value, configured, least, most, words, help, changedAt, changedBy))

struct ShownSettings {
  std::vector<ShownSetting> items;
};
BOOST_DESCRIBE_STRUCT(ShownSettings, (), (items))

}  // namespace tipflow::console

template <>
struct tipflow::EnumWords<tipflow::console::AlertState> {
  static constexpr std::array values{
      std::pair{std::string_view{"raised"}, tipflow::console::AlertState::raised},
      std::pair{std::string_view{"acknowledged"}, tipflow::console::AlertState::acknowledged},
      std::pair{std::string_view{"resolved"}, tipflow::console::AlertState::resolved}};
};
