#include "platform/http/sign_in_routes.h"

#include "platform/db/connection.h"
#include "platform/http/sign_in_wire.h"

namespace tipflow::http {
namespace {

struct LoginAnswer {
  std::string token;
  Time expiresAt;
  std::string signingKey;
  PrincipalKind kind = PrincipalKind::viewer;
  std::int64_t id = 0;
  Role role = Role::viewer;
};
BOOST_DESCRIBE_STRUCT(LoginAnswer, (), (token, expiresAt, signingKey, kind, id, role))

class Routes {
 public:
  Routes(std::map<PrincipalKind, AccountDirectory*> directories, RemoteSignIn* remote,
         LoginLimits& limits, Passwords& passwords, Tokens& tokens)
      : directories_(std::move(directories)),
        remote_(remote),
        limits_(limits),
        passwords_(passwords),
        tokens_(tokens) {}

  Task<ResponsePtr> login(Call& call) {
    const auto request = call.body<LoginRequest>();
    if (!directories_.contains(request.kind) && remote_ == nullptr) {
      throw Refused(ErrorCode::role_unavailable);
    }
    auto attempt = limits_.begin(word(request.kind), request.name.value, call.address);
    std::optional<SignedIn> who;
    try {
      who = co_await check(request);
    } catch (...) {
      attempt.giveBack();  // nobody has looked at the password
      throw;
    }
    if (!who) throw Refused(ErrorCode::invalid_credentials);
    attempt.giveBack();
    const auto issued = tokens_.issue(request.kind, who->id, who->role);
    co_return ok(LoginAnswer{issued.token, issued.expiresAt, issued.signingKey, request.kind,
                             who->id, who->role});
  }
  /// What another node asks that has not the role.
  Task<ResponsePtr> checkForOther(Call& call) {
    const auto request = call.body<LoginRequest>();
    if (!directories_.contains(request.kind)) throw Refused(ErrorCode::role_unavailable);
    const auto who = co_await check(request);
    SignInReply reply;
    if (who) reply.account = FoundAccount{{who->id}, who->role};
    co_return ok(reply);
  }
  Task<ResponsePtr> logout(Call& call) {
    auto principal = call.principal;
    co_await tokens_.revoke(std::move(principal));
    co_return noContent();
  }

 private:
  Task<std::optional<SignedIn>> check(LoginRequest request) {
    const auto directory = directories_.find(request.kind);
    if (directory == directories_.end()) {
      auto name = request.name.value;
      auto password = request.password.value;
      try {
        co_return co_await remote_->check(request.kind, std::move(name), std::move(password));
      } catch (const db::Error&) {
        throw Refused(ErrorCode::role_unavailable);  // nothing has changed, wherever it went wrong
      }
    }
    const auto account = co_await directory->second->account(request.name.value);
    // The same work and the same answer for an unknown name.
    std::optional<std::string> hash;
    if (account) hash = account->passwordHash;
    const bool right = co_await passwords_.verify(hash, request.password.value);
    if (!right) co_return std::nullopt;
    co_return SignedIn{account->id, account->role};
  }

  std::map<PrincipalKind, AccountDirectory*> directories_;
  RemoteSignIn* remote_;
  LoginLimits& limits_;
  Passwords& passwords_;
  Tokens& tokens_;
};

}  // namespace

void addSignInRoutes(Router& router, std::map<PrincipalKind, AccountDirectory*> directories,
                     RemoteSignIn* remote, LoginLimits& limits, Passwords& passwords,
                     Tokens& tokens) {
  const auto routes =
      std::make_shared<Routes>(std::move(directories), remote, limits, passwords, tokens);
  const auto add = [&](const char* path, Access access, auto handler) {
    // An operator who leaves changes nothing that the operators' log would have to keep.
    router.add({Method::post, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, Signing::none,
                kBodyLimit, "platform", false});
  };
  add("/api/v1/auth/login", Access::anyone(), &Routes::login);
  add("/api/v1/auth/logout", Access::signedIn(), &Routes::logout);
  add("/internal/v1/sign-in", Access::nodes(), &Routes::checkForOther);
}

}  // namespace tipflow::http
