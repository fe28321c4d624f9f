#include "platform/http/sign_in_routes.h"

namespace tipflow::http {
namespace {

struct LoginRequest {
  PrincipalKind kind = PrincipalKind::viewer;
  Text<1, 64> name;
  Secret<1, 128> password;
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (kind, name, password))

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
  Routes(std::map<PrincipalKind, AccountDirectory*> directories, LoginLimits& limits,
         Passwords& passwords, Tokens& tokens)
      : directories_(std::move(directories)),
        limits_(limits),
        passwords_(passwords),
        tokens_(tokens) {}

  Task<ResponsePtr> login(Call& call) {
    const auto request = call.body<LoginRequest>();
    const auto directory = directories_.find(request.kind);
    if (directory == directories_.end()) throw Refused(ErrorCode::role_unavailable);
    auto attempt = limits_.begin(word(request.kind), request.name.value, call.address);
    std::optional<Account> account;
    bool right = false;
    try {
      account = co_await directory->second->account(request.name.value);
      // The same work and the same answer for an unknown name.
      std::optional<std::string> hash;
      if (account) hash = account->passwordHash;
      right = co_await passwords_.verify(hash, request.password.value);
    } catch (...) {
      attempt.giveBack();  // nobody has looked at the password
      throw;
    }
    if (!right) throw Refused(ErrorCode::invalid_credentials);
    attempt.giveBack();
    const auto issued = tokens_.issue(request.kind, account->id, account->role);
    co_return ok(LoginAnswer{issued.token, issued.expiresAt, issued.signingKey, request.kind,
                             account->id, account->role});
  }
  Task<ResponsePtr> logout(Call& call) {
    tokens_.revoke(*call.principal);
    co_return noContent();
  }

 private:
  std::map<PrincipalKind, AccountDirectory*> directories_;
  LoginLimits& limits_;
  Passwords& passwords_;
  Tokens& tokens_;
};

}  // namespace

void addSignInRoutes(Router& router, std::map<PrincipalKind, AccountDirectory*> directories,
                     LoginLimits& limits, Passwords& passwords, Tokens& tokens) {
  const auto routes = std::make_shared<Routes>(std::move(directories), limits, passwords, tokens);
  const auto add = [&](const char* path, Access access, auto handler) {
    // An operator who leaves changes nothing that the operators' log would have to keep.
    router.add({Method::post, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, Signing::none,
                kBodyLimit, "platform", false});
  };
  add("/api/v1/auth/login", Access::anyone(), &Routes::login);
  add("/api/v1/auth/logout", Access::signedIn(), &Routes::logout);
}

}  // namespace tipflow::http
