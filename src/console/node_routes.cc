#include "console/node_routes.h"

namespace tipflow::console {
namespace {

using http::Call;
using http::ResponsePtr;
using http::Task;

class Routes {
 public:
  Routes(Nodes& nodes, Databases& databases) : nodes_(nodes), databases_(databases) {}

  Task<ResponsePtr> services(Call&) {
    const auto services = co_await nodes_.services();
    co_return http::ok(services);
  }
  Task<ResponsePtr> overview(Call&) {
    const auto overview = co_await nodes_.overview();
    co_return http::ok(overview);
  }
  Task<ResponsePtr> database(Call&) {
    const auto databases = co_await databases_.all();
    co_return http::ok(databases);
  }

 private:
  Nodes& nodes_;
  Databases& databases_;
};

}  // namespace

void addNodeRoutes(http::Router& router, Nodes& nodes, Databases& databases) {
  const auto routes = std::make_shared<Routes>(nodes, databases);
  const auto add = [&](const char* path, auto handler) {
    router.add({http::Method::get, path, http::Access::operators(),
                [routes, handler](Call& call) { return ((*routes).*handler)(call); },
                http::Signing::none, http::kBodyLimit, "console"});
  };
  add("/api/v1/admin/services", &Routes::services);
  add("/api/v1/admin/overview", &Routes::overview);
  add("/api/v1/admin/database", &Routes::database);
}

}  // namespace tipflow::console
