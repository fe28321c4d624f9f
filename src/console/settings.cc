#include "console/settings.h"

namespace tipflow::console {

SettingChanges readSettingChanges(std::string_view body) {
  const auto value = json::parse(body, {});
  const auto* object = value.if_object();
  if (object == nullptr) {
    throw BadRequest({ErrorCode::invalid_request, "the body must be a JSON object"});
  }
  SettingChanges changes;
  json::Faults faults;
  for (const auto& [name, wanted] : *object) {
    const auto* key = runtimeKey(name);
    if (key == nullptr) {
      faults.add(std::string(json::shortened(name)), ErrorCode::unknown_field,
                 "is not a setting that can be changed at run time");
    } else if (wanted.is_null()) {
      changes[key->name] = std::nullopt;
    } else {
      changes[key->name] = settingText(*key, wanted, faults);
    }
  }
  if (!faults.none()) throw BadRequest({ErrorCode::invalid_request, {}, faults.take()});
  return changes;
}

std::string valuesOf(const ShownSettings& settings, const SettingChanges& changes) {
  std::string text;
  for (const auto& item : settings.items) {
    if (!changes.contains(item.key)) continue;
    text += text.empty() ? "{" : ",";
    json::write(text, item.key);
    text += ':';
    write(text, item.value);
  }
  return text.empty() ? "{}" : text + "}";
}

drogon::Task<ShownSettings> Settings::all() {
  const auto stored =
      co_await db2_.read([](db::Connection& connection) { return store::settings(connection); });
  co_return shown(stored);
}

drogon::Task<ChangedSettings> Settings::change(SettingChanges changes, std::int64_t by) {
  const Time now = clock_.now();
  std::map<std::string, store::StoredSetting> before;
  const auto after = co_await db2_.write([&](db::Connection& connection) {
    before = store::settings(connection);
    for (const auto& [name, value] : changes) {
      store::changeSetting(connection, name, value, by, now);
    }
    return store::settings(connection);
  });
  co_return ChangedSettings{shown(before), shown(after)};
}

ShownSettings Settings::shown(const std::map<std::string, store::StoredSetting>& stored) const {
  SettingTexts texts;
  for (const auto& [name, setting] : stored) texts[name] = setting.value;
  std::vector<std::string> ignored;
  const auto current = withChanges(configured_, texts, ignored);
  ShownSettings shown;
  for (const auto& key : configKeys()) {
    if (!key.atRunTime) continue;
    const bool number = key.words.empty();
    ShownSetting item;
    item.key = key.name;
    item.value = {settingText(key, current), number};
    item.configured = {settingText(key, configured_), number};
    if (number) item.least = key.least;
    if (number) item.most = key.most;
    item.words = key.words;
    item.help = key.help;
    if (const auto found = stored.find(key.name); found != stored.end()) {
      item.changedAt = found->second.changedAt;
      item.changedBy = found->second.changedBy;
    }
    shown.items.push_back(std::move(item));
  }
  return shown;
}

}  // namespace tipflow::console
