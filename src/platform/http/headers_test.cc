#include "platform/http/headers.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

std::vector<std::string> linesFor(std::string_view path) {
  crypto::initialise();
  const auto response = drogon::HttpResponse::newHttpResponse();
  addSecurityHeaders(*response, path);
  std::istringstream text(response->getHeader("x-content-type-options"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

TEST(SecurityHeaders, let_an_answer_load_and_keep_nothing) {
  EXPECT_EQ(linesFor("/api/v1/rooms"),
            (std::vector<std::string>{
                "nosniff", "x-frame-options: DENY", "referrer-policy: no-referrer",
                "cache-control: no-store",
                "content-security-policy: default-src 'none'; frame-ancestors 'none'"}));
  EXPECT_EQ(linesFor("/internal/v1/ping"), linesFor("/nothing"));
}

TEST(SecurityHeaders, let_the_documentation_run_its_own_script_alone) {
  const auto policy = linesFor("/docs").back();
  EXPECT_NE(policy.find("script-src 'sha256-"), std::string::npos) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
}

TEST(SecurityHeaders, name_scripts_and_styles_by_the_hash_that_browsers_compute) {
  crypto::initialise();
  // printf 'alert(1)' | openssl dgst -sha256 -binary | base64, and of 'a{}'
  EXPECT_EQ(pagePolicy("<style>a{}</style><script>alert(1)</script>"),
            "default-src 'none'; script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; "
            "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; img-src data:; "
            "connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
}

TEST(Headers, a_token_stands_behind_the_name_of_its_scheme_in_any_case) {
  EXPECT_EQ(bearerToken("Bearer a.b.c"), "a.b.c");
  EXPECT_EQ(bearerToken("bearer a.b.c"), "a.b.c");
  EXPECT_EQ(bearerToken("BEARER "), "");
  for (const auto* none : {"", "Bearer", "Basic a", "xBearer a", "Bearer\ta"}) {
    EXPECT_EQ(bearerToken(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace tipflow::http
