// What clients are told and hand back: problem documents with any text in them, and page tokens.
// Input, a line each: Accept-Language, a page token, a field's name, a field's fault; the rest is
// the detail.
#include "platform/http/problem.h"

#include <drogon/HttpRequest.h>

#include <boost/json.hpp>
#include <cstring>

#include "platform/security/crypto.h"
#include "property.h"

namespace tipflow::http {
namespace {

using fuzz::require;

void checkProblem(std::string_view language, const Rejection& rejection) {
  constexpr std::string_view kTrace = "000102030405060708090a0b0c0d0e0f";
  const auto response = problem(rejection, kTrace, language);
  boost::json::error_code bad;
  const auto body = response->body();
  const auto parsed = boost::json::parse({body.data(), body.size()}, bad);
  require(!bad && parsed.is_object(), "a problem document is a JSON object");
  const auto& object = parsed.as_object();
  require(object.at("status") == static_cast<int>(response->getStatusCode()),
          "document and answer have one status");
  require(object.at("code").as_string() == info(rejection.code).code &&
              object.at("traceId").as_string() == kTrace,
          "no text changes another member");
  require(!object.at("detail").as_string().empty(), "a problem is explained");
  require(object.size() == (rejection.errors.empty() ? 6U : 7U),
          "a document has the members of the contract");
}

// The numbers inside `token` as a list's handler reads them; nothing when it is refused.
std::optional<std::vector<std::int64_t>> numbersOf(const std::string& token, std::size_t count) {
  Call call;
  call.request = drogon::HttpRequest::newHttpRequest();
  call.request->setParameter("pageToken", token);
  try {
    return call.pageToken(count);
  } catch (const BadRequest& refused) {
    require(refused.rejection().errors.size() == 1 &&
                refused.rejection().errors.front().field == "pageToken",
            "a refusal names the parameter");
    return std::nullopt;
  }
}

void checkPageToken(std::string_view token) {
  for (const std::size_t count : {1U, 2U}) {
    const auto numbers = numbersOf(std::string(token), count);
    require(!numbers || numbers->size() == count,
            "a page token holds as many numbers as asked for");
  }
  std::int64_t number = 0;
  std::memcpy(&number, token.data(), std::min(token.size(), sizeof number));
  const std::vector<std::int64_t> two{number, static_cast<std::int64_t>(token.size())};
  require(numbersOf(makePageToken({two[0], two[1]}), 2) == two, "a page token is read back");
}

void check(std::string_view input) {
  const auto language = fuzz::take(input, '\n');
  checkPageToken(fuzz::take(input, '\n'));
  const auto field = fuzz::take(input, '\n');
  const auto fault = fuzz::take(input, '\n');
  checkProblem(language, {ErrorCode::insufficient_balance, std::string(input)});
  checkProblem(language, {ErrorCode::invalid_request,
                          std::string(input),
                          {{std::string(field), ErrorCode::invalid_format, std::string(fault)},
                           {std::string(field), ErrorCode::required, {}}}});
}

}  // namespace
}  // namespace tipflow::http

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tipflow::crypto::initialise();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::http::check(tipflow::fuzz::asText(data, size));
  return 0;
}
