#include "platform/runtime_settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace tipflow {
namespace {

bool isNumber(const ConfigKey& key) {
  return std::holds_alternative<std::int64_t Config::*>(key.field);
}

bool isAllowed(const ConfigKey& key, const std::string& word) {
  return std::find(key.words.begin(), key.words.end(), word) != key.words.end();
}

/// False when `text` is not a value that the setting allows; `config` is then as it was.
bool assign(Config& config, const ConfigKey& key, const std::string& text) {
  if (!isNumber(key)) {
    if (!isAllowed(key, text)) return false;
    config.*std::get<std::string Config::*>(key.field) = text;
    return true;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < key.least ||
      number > key.most) {
    return false;
  }
  config.*std::get<std::int64_t Config::*>(key.field) = number;
  return true;
}

}  // namespace

const ConfigKey* runtimeKey(std::string_view name) {
  for (const auto& key : configKeys()) {
    if (key.atRunTime && key.name == name) return &key;
  }
  return nullptr;
}

std::string settingText(const ConfigKey& key, const boost::json::value& value,
                        json::Faults& faults) {
  if (!isNumber(key)) {
    const auto* text = value.if_string();
    if (text != nullptr && isAllowed(key, std::string(*text))) return std::string(*text);
    faults.add(key.name, text == nullptr ? ErrorCode::wrong_type : ErrorCode::invalid_format,
               fmt::format("must be one of: {}", fmt::join(key.words, ", ")));
    return {};
  }
  const auto* number = value.if_int64();
  if (number == nullptr && !value.is_uint64()) {
    faults.add(key.name, ErrorCode::wrong_type, "must be an integer");
  } else if (number == nullptr || *number < key.least || *number > key.most) {
    faults.add(key.name, ErrorCode::out_of_range,
               fmt::format("must be from {} to {}", key.least, key.most));
  } else {
    return std::to_string(*number);
  }
  return {};
}

std::string settingText(const ConfigKey& key, const Config& config) {
  if (isNumber(key)) return std::to_string(config.*std::get<std::int64_t Config::*>(key.field));
  return config.*std::get<std::string Config::*>(key.field);
}

Config withChanges(const Config& configured, const SettingTexts& changed,
                   std::vector<std::string>& ignored) {
  Config config = configured;
  for (const auto& [name, text] : changed) {
    const auto* key = runtimeKey(name);
    if (key == nullptr || !assign(config, *key, text)) ignored.push_back(name);
  }
  return config;
}

}  // namespace tipflow
