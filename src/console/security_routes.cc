#include "console/security_routes.h"

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
  Routes(Blocks& blocks, ActionLog& actions) : blocks_(blocks), actions_(actions) {}

  Task<ResponsePtr> listBlocks(Call& call) {
    const auto token = call.pageToken(1);
    const auto page = co_await blocks_.list(token ? token->front() : kIdEnd, call.pageSize());
    co_return http::page(page);
  }
  Task<ResponsePtr> addBlock(Call& call) {
    auto body = call.body<NewBlock>();
    const auto by = call.principal->id;
    const auto block = http::orRefuse(co_await blocks_.add(std::move(body), call.address, by));
    call.change = {"network " + block.network, {}, json::toText(block)};
    co_return http::created(block);
  }
  Task<ResponsePtr> removeBlock(Call& call) {
    const auto id = Call::parseId(call.path.front());
    if (!id) throw http::Refused(ErrorCode::ip_block_not_found);
    const auto block = http::orRefuse(co_await blocks_.remove(*id));
    call.change = {"network " + block.network, json::toText(block), {}};
    co_return http::noContent();
  }
  Task<ResponsePtr> listActions(Call& call) {
    const auto range = call.range();
    http::OperatorActionFilter filter{call.integer("operatorId", 1, kIdEnd - 1),
                                      call.text("action"), range.from, range.to};
    auto token = call.pageToken(4);
    const auto page = co_await actions_.list(std::move(filter), std::move(token), call.pageSize());
    co_return http::ok(page);
  }

 private:
  Blocks& blocks_;
  ActionLog& actions_;
};

}  // namespace

void addSecurityRoutes(http::Router& router, Blocks& blocks, ActionLog& actions) {
  const auto routes = std::make_shared<Routes>(blocks, actions);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "console"});
  };
  const auto admin = Access::of({Role::admin});
  add(Method::get, "/api/v1/admin/ip-blocks", Access::operators(), &Routes::listBlocks);
  add(Method::post, "/api/v1/admin/ip-blocks", admin, &Routes::addBlock, Signing::required);
  add(Method::delete_, "/api/v1/admin/ip-blocks/{id}", admin, &Routes::removeBlock,
      Signing::required);
  add(Method::get, "/api/v1/admin/audit-log", Access::operators(), &Routes::listActions);
}

}  // namespace tipflow::console
