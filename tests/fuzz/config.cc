// Configuration: a TOML file, then lines NAME=VALUE of the environment behind a line `%env`, then
// flags behind a line `%set`. Either every setting is within its bounds and the whole can be said
// again with flags, or a ConfigError names where the fault is.
#include "platform/config.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "platform/db/connection.h"
#include "property.h"

namespace tipflow {
namespace {

using fuzz::require;
using Settings = std::map<std::string, std::string>;

// A file in memory, the same for all inputs.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("config.toml", 0)) {}
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void hold(std::string_view text) const {
    require(ftruncate(descriptor_, 0) == 0 && pwrite(descriptor_, text.data(), text.size(), 0) ==
                                                  static_cast<ssize_t>(text.size()),
            "the input is written");
  }

 private:
  int descriptor_;
};

// What stands before the line `marker`; `text` keeps what stands behind it.
std::string_view partBefore(std::string_view& text, std::string_view marker) {
  const auto at = text.find(marker);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + marker.size());
  return part;
}

Settings settingsOf(std::string_view lines) {
  Settings settings;
  while (!lines.empty()) {
    auto line = fuzz::take(lines, '\n');
    line = line.substr(0, line.find('\0'));  // where such strings end
    const auto name = fuzz::take(line, '=');
    settings[std::string(name)] = line;
  }
  return settings;
}

std::string textOf(const Config& config, const ConfigKey& key) {
  if (const auto* text = std::get_if<std::string Config::*>(&key.field)) return config.**text;
  if (const auto* flag = std::get_if<bool Config::*>(&key.field)) {
    return config.**flag ? "true" : "false";
  }
  const auto number = config.*std::get<std::int64_t Config::*>(key.field);
  require(number >= key.least && number <= key.most, "a number lies within its bounds");
  return std::to_string(number);
}

void checkLoaded(const LoadedConfig& loaded, const Settings& flags) {
  Settings all;
  for (const auto& key : configKeys()) all[key.name] = textOf(loaded.config, key);
  for (const auto& [name, value] : flags) {
    // The databases' URLs are filled in when empty, and numbers may be written 007.
    require(all.contains(name), "a flag that was taken is a setting");
    require(value.empty() || all[name] == value ||
                all[name] == std::to_string(std::atoll(value.c_str())),
            "a flag wins over file and environment");
  }
  const auto again = loadConfig("", {}, all);
  for (const auto& key : configKeys()) {
    require(textOf(again.config, key) == all[key.name], "a configuration can be said with flags");
  }
  (void)db::Url::parse(loaded.config.db1Url);
  (void)db::Url::parse(loaded.config.db2Url);
}

// Whether the text names a setting, a variable, a flag, or the file.
bool namesItsPlace(std::string_view what, const std::string& file, const Settings& environment,
                   const Settings& flags) {
  const auto names = [&](std::string_view name) {
    return what.find(name) != std::string_view::npos;
  };
  return names(file) ||
         std::any_of(configKeys().begin(), configKeys().end(),
                     [&](const ConfigKey& key) { return names(key.name); }) ||
         std::any_of(environment.begin(), environment.end(),
                     [&](const auto& e) { return names(e.first); }) ||
         std::any_of(flags.begin(), flags.end(), [&](const auto& f) { return names(f.first); });
}

void checkConfig(std::string_view input) {
  static const MemoryFile file;
  auto beforeFlags = partBefore(input, "\n%set\n");
  const auto flags = settingsOf(input);
  file.hold(partBefore(beforeFlags, "\n%env\n"));
  const auto environment = settingsOf(beforeFlags);
  LoadedConfig loaded;
  try {
    loaded = loadConfig(file.path(), environment, flags);
  } catch (const ConfigError& error) {
    require(namesItsPlace(error.what(), file.path(), environment, flags),
            "an error says where it is");
    return;
  }
  checkLoaded(loaded, flags);
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::checkConfig(tipflow::fuzz::asText(data, size));
  return 0;
}
