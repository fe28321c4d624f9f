// Takes up what an admin changed at run time: reads it from DB2 at start and every two seconds, on
// every node that has DB2, and puts it into effect.
#pragma once

#include <functional>

#include "platform/db/database.h"
#include "platform/runtime_settings.h"

namespace tipflow::app {

class SettingsWatch {
 public:
  static constexpr Duration kEvery{2 * kUsPerSecond};

  /// `apply` is given the configuration in effect whenever it has changed.
  SettingsWatch(const Config& configured, db::Database& db2,
                std::function<void(const Config&)> apply)
      : configured_(configured), db2_(db2), apply_(std::move(apply)) {}

  /// Before the node serves. Throws db::Error.
  void load();
  drogon::Task<> lookAgain();

 private:
  void take(SettingTexts changed);

  const Config& configured_;
  db::Database& db2_;
  std::function<void(const Config&)> apply_;
  SettingTexts changed_;
};

}  // namespace tipflow::app
