#include "console/remote.h"

#include "console/wire.h"
#include "platform/rpc/ask.h"

namespace tipflow::console {

drogon::Task<std::shared_ptr<const NetworkSet>> RemoteConsole::blockedNetworks() {
  rpc::Request request;
  request.path = "/internal/v1/ip-blocks";
  const auto blocked = co_await rpc::ask<wire::Blocked>(caller_, std::move(request));
  std::vector<Network> networks;
  for (const auto& text : blocked.networks.items) {
    if (const auto network = Network::parse(text.value)) networks.push_back(*network);
  }
  co_return std::make_shared<const NetworkSet>(networks);
}

drogon::Task<SettingTexts> RemoteConsole::settings() {
  rpc::Request request;
  request.path = "/internal/v1/settings";
  const auto settings = co_await rpc::ask<wire::Settings>(caller_, std::move(request));
  SettingTexts texts;
  for (const auto& setting : settings.settings.items) {
    texts[setting.name.value] = setting.value.value;
  }
  co_return texts;
}

// A report can be given again: only the last one counts.
drogon::Task<> RemoteConsole::take(ConditionReport report) {
  rpc::Request request{drogon::Post, "/internal/v1/conditions",
                       json::toText(wire::toWire(std::move(report)))};
  (void)co_await rpc::ask<wire::Kept>(caller_, std::move(request));
}

}  // namespace tipflow::console
