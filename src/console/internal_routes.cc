#include "console/internal_routes.h"

#include "console/alert_store.h"
#include "console/block_store.h"
#include "console/wire.h"

namespace tipflow::console {

using http::Call;
using http::ResponsePtr;
using http::Task;

void InternalRoutes::addTo(http::Router& router) {
  const auto add = [&](http::Method method, const char* path, auto handler) {
    router.add({method, path, http::Access::nodes(),
                [this, handler](Call& call) { return (this->*handler)(call); }, http::Signing::none,
                http::kBodyLimit, "console"});
  };
  using http::Method;
  add(Method::get, "/internal/v1/ip-blocks", &InternalRoutes::blocks);
  add(Method::get, "/internal/v1/settings", &InternalRoutes::settings);
  add(Method::post, "/internal/v1/conditions", &InternalRoutes::conditions);
}

Task<ResponsePtr> InternalRoutes::blocks(Call&) {
  const Time now = clock_.now();
  auto networks = co_await db2_.read(
      [now](db::Connection& connection) { return store::blockedNetworks(connection, now); });
  wire::Blocked blocked;
  for (auto& network : networks) blocked.networks.items.push_back({std::move(network)});
  co_return http::ok(blocked);
}

Task<ResponsePtr> InternalRoutes::settings(Call&) {
  const auto texts = co_await db2_.read(
      [](db::Connection& connection) { return store::settingTexts(connection); });
  wire::Settings settings;
  for (const auto& [name, value] : texts) settings.settings.items.push_back({{name}, {value}});
  co_return http::ok(settings);
}

Task<ResponsePtr> InternalRoutes::conditions(Call& call) {
  auto report = wire::fromWire(call.body<wire::Conditions>());
  co_await conditions_.take(std::move(report));
  co_return http::ok(wire::Kept{});
}

}  // namespace tipflow::console
