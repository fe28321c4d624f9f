#include "platform/rpc/sign_in.h"

#include "platform/http/sign_in_wire.h"
#include "platform/rpc/ask.h"

namespace tipflow::rpc {
namespace {

// Hashing a password is slow on purpose, and others may wait for it too.
constexpr Duration kDeadline{5 * kUsPerSecond};

}  // namespace

drogon::Task<std::optional<SignedIn>> SignInElsewhere::check(PrincipalKind kind, std::string name,
                                                             std::string password) {
  const auto caller = callers_.find(kind);
  if (caller == callers_.end()) throw Away("no role keeps such accounts");
  const http::LoginRequest asked{kind, {std::move(name)}, {std::move(password)}};
  // Not idempotent, so that a node that is slow over hashes is not helped to more of them.
  Request request{drogon::Post, "/internal/v1/sign-in", json::toText(asked), false, kDeadline};
  const auto reply = co_await ask<http::SignInReply>(*caller->second, std::move(request));
  if (!reply.account) co_return std::nullopt;
  co_return SignedIn{reply.account->id.value, reply.account->role};
}

}  // namespace tipflow::rpc
