// The command line: one binary, one command each for serving, migrating, auditing, loading.
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>

#include "app/commands.h"
#include "app/edge_command.h"
#include "app/keys_command.h"
#include "app/load_command.h"
#include "app/version.h"
#include "app/watch_command.h"
#include "platform/config.h"
#include "platform/security/crypto.h"

extern char** environ;

namespace {

constexpr int kWrongUsage = 2;

std::map<std::string, std::string> environmentVariables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

/// `key=value` pairs of --set. Throws ConfigError.
std::map<std::string, std::string> flagsOf(const std::vector<std::string>& settings) {
  std::map<std::string, std::string> flags;
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      throw tipflow::ConfigError("--set needs key=value, not '" + setting + "'");
    }
    flags[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return flags;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tipflow;
  CLI::App cli{"Tipflow: live-stream tipping. One binary, every role."};
  cli.require_subcommand(1);
  std::string file;
  std::vector<std::string> settings;
  std::vector<std::string> roles;
  load::LoadOptions loadOptions;
  load::watch::WatchOptions watchOptions;
  app::KeysOptions keysOptions;

  const auto withSettings = [&](CLI::App* command) {
    command->add_option("--config", file, "settings from this TOML file");
    command->add_option("--set", settings, "one setting: key=value (tipflow config lists them)");
    return command;
  };
  auto* serve = withSettings(cli.add_subcommand("serve", "run a node until it is told to stop"));
  serve->add_option("--roles", roles, "roles of this node, separated by commas; all when not given")
      ->delimiter(',');
  auto* migrate =
      withSettings(cli.add_subcommand("migrate", "bring both databases to the current schema"));
  auto* audit = withSettings(cli.add_subcommand(
      "audit", "check the books: exit 0 when they match, 1 when not, 2 when it could not look"));
  std::string record;
  audit->add_option(
      "--record", record,
      "also compare what a client asked and was told: JSON lines with traceId, viewerId, "
      "roomId, amount, giftId, count, outcome, tipId");
  auto* routes = withSettings(cli.add_subcommand("routes", "print every route and who may use it"));
  auto* edge = withSettings(cli.add_subcommand(
      "edge", "run nginx in front of the nodes that Consul knows, until told to stop"));
  auto* reference = cli.add_subcommand("config", "print the reference of all settings");
  auto* version = cli.add_subcommand("version", "print the version");
  auto* load = app::addLoadCommand(cli, loadOptions);
  auto* watch = app::addWatchCommand(*load, watchOptions);
  auto* keys = app::addKeysCommand(cli, keysOptions, withSettings);
  cli.set_version_flag("--version", app::versionLine(), "print the version");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // CLI11 says no more than that of a command there is not.
    if (argc > 1 && argv[1][0] != '-') std::cerr << "'" << argv[1] << "' is not a command.\n";
    return cli.exit(error) == 0 ? 0 : kWrongUsage;
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : kWrongUsage;
  }

  try {
    crypto::initialise();
    if (*version) return app::printVersion();
    if (*reference) {
      std::cout << configReference();
      return 0;
    }
    if (*watch) return load::watch::runWatch(watchOptions, std::cout);
    if (*load) return load::runLoad(loadOptions, std::cout);
    const auto loaded = loadConfig(file, environmentVariables(), flagsOf(settings));
    for (const auto& warning : loaded.warnings) std::cerr << "warning: " << warning << '\n';
    if (*serve) return app::serve(loaded.config, roles);
    if (*edge) return app::edge(loaded.config);
    if (*migrate) return app::migrate(loaded.config);
    if (*audit) return app::audit(loaded.config, record);
    if (*routes) return app::printRoutes(loaded.config);
    if (*keys) return app::keys(loaded.config, keysOptions, std::cout);
  } catch (const ConfigError& error) {
    std::cerr << "error: " << error.what() << "\n       'tipflow config' lists all settings.\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  }
  return 0;
}
