#include "console/alert_routes.h"

namespace tipflow::console {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Signing;
using http::Task;

class Routes {
 public:
  Routes(Alerts& alerts, Settings& settings) : alerts_(alerts), settings_(settings) {}

  Task<ResponsePtr> list(Call& call) {
    const store::AlertFilter filter{call.word<AlertState>("state"),
                                    call.word<Severity>("severity")};
    const auto token = call.pageToken(1);
    const auto page =
        co_await alerts_.list(filter, token ? token->front() : kIdEnd, call.pageSize());
    co_return http::page(page);
  }
  Task<ResponsePtr> acknowledge(Call& call) {
    call.noBody();
    const auto id = Call::parseId(call.path.front());
    if (!id) throw http::Refused(ErrorCode::alert_not_found);
    const auto by = call.principal->id;
    const auto alert = http::orRefuse(co_await alerts_.acknowledge(*id, by));
    call.change = {"alert " + call.path.front(), {}, json::toText(alert)};
    co_return http::ok(alert);
  }
  Task<ResponsePtr> getSettings(Call&) { co_return http::ok(co_await settings_.all()); }
  Task<ResponsePtr> setSettings(Call& call) {
    const auto changes = readSettingChanges(call.request->body());
    const auto by = call.principal->id;
    auto asked = changes;
    const auto changed = co_await settings_.change(std::move(asked), by);
    call.change = {"settings", valuesOf(changed.before, changes), valuesOf(changed.after, changes)};
    co_return http::ok(changed.after);
  }

 private:
  Alerts& alerts_;
  Settings& settings_;
};

}  // namespace

void addAlertRoutes(http::Router& router, Alerts& alerts, Settings& settings) {
  const auto routes = std::make_shared<Routes>(alerts, settings);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "console"});
  };
  add(Method::get, "/api/v1/admin/alerts", Access::operators(), &Routes::list);
  add(Method::post, "/api/v1/admin/alerts/{id}/acknowledge", Access::operators(),
      &Routes::acknowledge, Signing::required);
  add(Method::get, "/api/v1/admin/settings", Access::operators(), &Routes::getSettings);
  add(Method::put, "/api/v1/admin/settings", Access::of({Role::admin}), &Routes::setSettings,
      Signing::required);
}

}  // namespace tipflow::console
