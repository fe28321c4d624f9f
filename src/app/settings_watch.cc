#include "app/settings_watch.h"

#include "console/alert_store.h"
#include "platform/log.h"

namespace tipflow::app {

void SettingsWatch::load() {
  if (db2_ != nullptr) take(console::store::settingTexts(*db2_->connect()));
}

drogon::Task<> SettingsWatch::lookAgain() {
  if (console_ != nullptr) {
    auto told = co_await console_->settings();
    take(std::move(told));
    co_return;
  }
  auto changed = co_await db2_->read(
      [](db::Connection& connection) { return console::store::settingTexts(connection); });
  take(std::move(changed));
}

void SettingsWatch::take(SettingTexts changed) {
  if (changed == changed_) return;
  std::vector<std::string> ignored;
  const auto config = withChanges(configured_, changed, ignored);
  for (const auto& name : ignored) {
    log::warn("platform", "a setting cannot be taken up, it stays as configured",
              log::field("setting", name), log::field("value", changed[name]));
  }
  for (const auto& [name, value] : changed) {
    if (const auto old = changed_.find(name); old == changed_.end() || old->second != value) {
      log::warn("platform", "a setting was changed at run time", log::field("setting", name),
                log::field("value", value));
    }
  }
  for (const auto& [name, value] : changed_) {
    if (changed.contains(name)) continue;
    log::warn("platform", "a setting is as configured again", log::field("setting", name));
  }
  changed_ = std::move(changed);
  apply_(config);
}

}  // namespace tipflow::app
