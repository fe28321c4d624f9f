// `tipflow keys`: which keys there are, a new one in front of them, an old one away. Never shows a
// key.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "platform/config.h"
#include "platform/security/key_list.h"

namespace tipflow::app {

struct KeysOptions {
  enum class Action { list, rotate, drop };
  Action action = Action::list;
  KeyKind kind = KeyKind::data;
  bool wait = false;
  std::string id;      ///< of the key to drop
  bool force = false;  ///< drop a token key while tokens under it may be in use
};

/// Adds the command; its options are written into `options`, which must outlive the parsing.
/// `withSettings` adds the options that all commands with settings have.
CLI::App* addKeysCommand(CLI::App& cli, KeysOptions& options,
                         const std::function<CLI::App*(CLI::App*)>& withSettings);

/// 0 when it was done, 1 when it was refused or not finished. Throws when it could not be done.
int keys(const Config& config, const KeysOptions& options, std::ostream& out);

}  // namespace tipflow::app
