#include "console/job_routes.h"

namespace tipflow::console {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Signing;
using http::Task;

constexpr int kAccepted = 202;

class Routes {
 public:
  explicit Routes(JobControl& jobs) : jobs_(jobs) {}

  Task<ResponsePtr> list(Call&) {
    const auto jobs = co_await jobs_.list();
    co_return http::ok(jobs);
  }
  Task<ResponsePtr> change(Call& call) {
    const auto body = call.body<ChangeJob>();
    if (!body.everySeconds && !body.paused) {
      throw BadRequest("everySeconds", ErrorCode::required, "is required, or paused is");
    }
    auto name = call.path.front();
    const auto changed = http::orRefuse(co_await jobs_.change(std::move(name), body));
    call.change = {"job " + call.path.front(), json::toText(changed.before),
                   json::toText(changed.after)};
    co_return http::ok(changed.after);
  }
  Task<ResponsePtr> runNow(Call& call) {
    call.noBody();
    auto name = call.path.front();
    const auto job = http::orRefuse(co_await jobs_.runNow(std::move(name)));
    call.change = {"job " + call.path.front(), {}, json::toText(job)};
    co_return http::jsonResponse(kAccepted, json::toText(job));
  }
  Task<ResponsePtr> listRuns(Call& call) {
    const auto token = call.pageToken(1);
    auto name = call.path.front();
    const auto page = http::orRefuse(
        co_await jobs_.runs(std::move(name), token ? token->front() : kIdEnd, call.pageSize()));
    co_return http::page(page);
  }

 private:
  JobControl& jobs_;
};

}  // namespace

void addJobRoutes(http::Router& router, JobControl& jobs) {
  const auto routes = std::make_shared<Routes>(jobs);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "console"});
  };
  const auto operators = Access::operators();
  add(Method::get, "/api/v1/admin/jobs", operators, &Routes::list);
  add(Method::put, "/api/v1/admin/jobs/{name}", Access::of({Role::admin}), &Routes::change,
      Signing::required);
  add(Method::post, "/api/v1/admin/jobs/{name}/runs", operators, &Routes::runNow,
      Signing::required);
  add(Method::get, "/api/v1/admin/jobs/{name}/runs", operators, &Routes::listRuns);
}

}  // namespace tipflow::console
