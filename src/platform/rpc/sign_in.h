// Log-ins of people whose accounts are kept by a role of other nodes.
#pragma once

#include <map>

#include "platform/rpc/caller.h"
#include "platform/sign_in.h"

namespace tipflow::rpc {

class SignInElsewhere final : public RemoteSignIn {
 public:
  /// `callers`: the role that keeps the accounts of a kind.
  explicit SignInElsewhere(std::map<PrincipalKind, Caller*> callers)
      : callers_(std::move(callers)) {}
  drogon::Task<std::optional<SignedIn>> check(PrincipalKind kind, std::string name,
                                              std::string password) override;

 private:
  std::map<PrincipalKind, Caller*> callers_;
};

}  // namespace tipflow::rpc
