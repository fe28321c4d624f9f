// Settings that an admin changes while nodes run: which they are, what they may be, and the
// configuration that results. Where they are kept is the console role's business.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config.h"
#include "platform/json.h"

namespace tipflow {

/// Setting -> its value as text, as in a file of settings.
using SettingTexts = std::map<std::string, std::string>;

/// nullptr when there is none of that name that can be changed at run time.
const ConfigKey* runtimeKey(std::string_view name);

/// The value of a setting as text; adds to `faults`, under the setting's name, when it cannot be
/// that.
std::string settingText(const ConfigKey& key, const boost::json::value& value,
                        json::Faults& faults);

/// What a setting is in `config`.
std::string settingText(const ConfigKey& key, const Config& config);

/// `configured` with `changed` put over it. What is not a setting of this release or has a value
/// that it does not allow is left as configured and named in `ignored`.
Config withChanges(const Config& configured, const SettingTexts& changed,
                   std::vector<std::string>& ignored);

}  // namespace tipflow
