#include "finance/routes.h"

namespace tipflow::finance {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Signing;
using http::Task;

class Routes {
 public:
  Routes(Service& service, PayoutAccounts& payoutAccounts, SandboxProvider& sandbox)
      : service_(service), payoutAccounts_(payoutAccounts), sandbox_(sandbox) {}

  Task<ResponsePtr> balance(Call& call) {
    co_return http::ok(http::orRefuse(co_await service_.balance(anchorOf(call))));
  }
  Task<ResponsePtr> setRate(Call& call) {
    const auto by = std::to_string(call.principal->id);
    const auto body = call.body<SetShareRate>();
    const auto anchor = anchorOf(call);
    const auto newest = http::orRefuse(co_await service_.rates(anchor, std::nullopt, 1));
    const auto rate = http::orRefuse(co_await service_.setRate(anchor, body, by));
    call.change = {fmt::format("share rate of anchor {}", anchor.value),
                   newest.items.empty() ? std::string{} : json::toText(newest.items.front()),
                   json::toText(rate)};
    co_return http::created(rate);
  }
  Task<ResponsePtr> listRates(Call& call) {
    std::optional<store::RatePlace> after;
    if (const auto token = call.pageToken(2)) after = {Time{(*token)[0]}, (*token)[1]};
    co_return http::page(
        http::orRefuse(co_await service_.rates(anchorOf(call), after, call.pageSize())));
  }
  Task<ResponsePtr> withdraw(Call& call) {
    const auto body = call.body<RequestWithdrawal>();
    co_return http::created(http::orRefuse(co_await service_.withdraw(anchorOf(call), body)));
  }
  Task<ResponsePtr> listWithdrawals(Call& call) {
    const auto token = call.pageToken(1);
    co_return http::page(http::orRefuse(co_await service_.withdrawals(
        anchorOf(call), token ? token->front() : kIdEnd, call.pageSize())));
  }
  Task<ResponsePtr> getWithdrawal(Call& call) {
    const auto traceId = call.pathTraceId(0);
    const auto found = http::orRefuse(co_await service_.withdrawal(traceId));
    // Other people's withdrawals look like ones that do not exist (docs/decisions/0001).
    if (!call.isOperator() && found.anchor != call.anchor()) {
      throw http::Refused(ErrorCode::withdrawal_not_found);
    }
    co_return http::ok(shown(found));
  }
  Task<ResponsePtr> setPayoutAccount(Call& call) {
    const auto body = call.body<SetPayoutAccount>();
    co_return http::ok(http::orRefuse(co_await payoutAccounts_.set(anchorOf(call), body)));
  }
  Task<ResponsePtr> getPayoutAccount(Call& call) {
    co_return http::ok(http::orRefuse(co_await payoutAccounts_.get(anchorOf(call))));
  }
  Task<ResponsePtr> statement(Call& call) {
    co_return http::ok(http::orRefuse(
        co_await service_.statement(anchorOf(call), call.time("from"), call.time("to"))));
  }
  Task<ResponsePtr> reconcile(Call&) {
    co_return http::ok(http::orRefuse(co_await service_.reconcile()));
  }
  Task<ResponsePtr> getSandbox(Call&) { co_return http::ok(Sandbox{sandbox_.mode()}); }
  Task<ResponsePtr> setSandbox(Call& call) {
    sandbox_.setMode(call.body<Sandbox>().mode);
    co_return http::ok(Sandbox{sandbox_.mode()});
  }

 private:
  static AnchorId anchorOf(const Call& call) {
    return call.pathId<AnchorId>(0, ErrorCode::anchor_not_found);
  }

  Service& service_;
  PayoutAccounts& payoutAccounts_;
  SandboxProvider& sandbox_;
};

}  // namespace

void addRoutes(http::Router& router, Service& service, PayoutAccounts& payoutAccounts,
               SandboxProvider& sandbox) {
  const auto routes = std::make_shared<Routes>(service, payoutAccounts, sandbox);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "finance"});
  };
  const auto own = Access::operators().orOwnAnchor();
  const auto admin = Access::of({Role::admin});
  add(Method::get, "/api/v1/finance/anchors/{id}/balance", own, &Routes::balance);
  add(Method::post, "/api/v1/finance/anchors/{id}/share-rates", admin, &Routes::setRate,
      Signing::required);
  add(Method::get, "/api/v1/finance/anchors/{id}/share-rates", own, &Routes::listRates);
  add(Method::post, "/api/v1/finance/anchors/{id}/withdrawals", admin.orOwnAnchor(),
      &Routes::withdraw, Signing::repeatable);
  add(Method::get, "/api/v1/finance/anchors/{id}/withdrawals", own, &Routes::listWithdrawals);
  add(Method::get, "/api/v1/finance/withdrawals/{traceId}",
      Access::of({Role::admin, Role::operator_, Role::anchor}).narrowedTo("own withdrawals"),
      &Routes::getWithdrawal);
  add(Method::put, "/api/v1/finance/anchors/{id}/payout-account", admin.orOwnAnchor(),
      &Routes::setPayoutAccount, Signing::required);
  add(Method::get, "/api/v1/finance/anchors/{id}/payout-account", admin.orOwnAnchor(),
      &Routes::getPayoutAccount);
  add(Method::get, "/api/v1/finance/anchors/{id}/statement", own, &Routes::statement);
  add(Method::get, "/api/v1/finance/reconciliation", Access::operators(), &Routes::reconcile);
  add(Method::get, "/api/v1/finance/sandbox", admin, &Routes::getSandbox);
  add(Method::put, "/api/v1/finance/sandbox", admin, &Routes::setSandbox, Signing::required);
}

}  // namespace tipflow::finance
