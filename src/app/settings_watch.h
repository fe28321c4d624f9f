// Takes up what an admin changed at run time, and puts it into effect: reads it every two seconds,
// from DB2 where the node has it, else from nodes with the role console.
#pragma once

#include <functional>

#include "console/remote.h"
#include "platform/db/database.h"
#include "platform/runtime_settings.h"

namespace tipflow::app {

class SettingsWatch {
 public:
  static constexpr Duration kEvery{2 * kUsPerSecond};

  /// `apply` is given the configuration in effect whenever it has changed.
  SettingsWatch(const Config& configured, db::Database& db2,
                std::function<void(const Config&)> apply)
      : configured_(configured), db2_(&db2), apply_(std::move(apply)) {}
  SettingsWatch(const Config& configured, console::RemoteConsole& console,
                std::function<void(const Config&)> apply)
      : configured_(configured), console_(&console), apply_(std::move(apply)) {}

  /// Before the node serves, where it has DB2. Throws db::Error.
  void load();
  drogon::Task<> lookAgain();

 private:
  void take(SettingTexts changed);

  const Config& configured_;
  db::Database* db2_ = nullptr;
  console::RemoteConsole* console_ = nullptr;
  std::function<void(const Config&)> apply_;
  SettingTexts changed_;
};

}  // namespace tipflow::app
