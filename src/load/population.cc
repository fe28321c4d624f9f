#include "load/population.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "platform/json.h"
#include "platform/security/crypto.h"

namespace tipflow::load {
namespace {

constexpr std::array kRegions{"上海", "北京", "浙江 杭州", "广东 深圳", "四川 成都", "湖北 武汉"};
constexpr std::array kCategories{"music", "game", "dance", "talk", "outdoors"};
constexpr std::array kTags{"音乐", "吉他", "游戏", "舞蹈", "美食", "旅行", "聊天", "户外"};
constexpr int kAgeLeast = 20;
constexpr int kAges = 30;

struct AnchorRegistration {
  std::string name;
  std::string password;
  Gender gender;
  int age;
  std::string region;
  std::string category;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(AnchorRegistration, (), (name, password, gender, age, region, category, tags))

struct ViewerRegistration {
  std::string name;
  std::string password;
  Gender gender;
  int age;
  std::string region;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(ViewerRegistration, (), (name, password, gender, age, region, tags))

struct LoginRequest {
  PrincipalKind kind;
  std::string name;
  std::string password;
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (kind, name, password))

template <std::size_t N>
std::string pick(const std::array<const char*, N>& from, int number) {
  return from[static_cast<std::size_t>(number) % N];
}

Gender genderOf(int number) { return number % 2 == 1 ? Gender::female : Gender::male; }

// Two neighbouring tags, so that some people share one and some both.
std::vector<std::string> tagsOf(int number) {
  return {pick(kTags, number), pick(kTags, number + 1)};
}

}  // namespace

std::string anchorName(int number) { return fmt::format("sim-anchor-{:03}", number); }
std::string viewerName(int number) { return fmt::format("sim-viewer-{:04}", number); }

std::string anchorRegistration(int number, const std::string& password) {
  return json::toText(AnchorRegistration{anchorName(number), password, genderOf(number),
                                         kAgeLeast + number % kAges, pick(kRegions, number),
                                         pick(kCategories, number), tagsOf(number)});
}

std::string viewerRegistration(int number, const std::string& password) {
  return json::toText(ViewerRegistration{viewerName(number), password, genderOf(number),
                                         kAgeLeast + number % kAges, pick(kRegions, number),
                                         tagsOf(number)});
}

std::string loginBody(PrincipalKind kind, const std::string& name, const std::string& password) {
  return json::toText(LoginRequest{kind, name, password});
}

std::optional<Session> readSession(std::string_view body) {
  // `id` stands at the top of a login and inside `viewer` of a new guest, the first id in both.
  const auto id = integerMember(body, "id");
  const auto token = textMember(body, "token");
  const auto expires = textMember(body, "expiresAt");
  const auto encoded = textMember(body, "signingKey");
  if (!id || !token || !expires || !encoded) return std::nullopt;
  const auto expiresAt = parseTime(*expires);
  auto signingKey = crypto::fromBase64Url(*encoded);
  if (!expiresAt || !signingKey) return std::nullopt;
  return Session{*id, std::string(*token), std::move(*signingKey), *expiresAt};
}

std::optional<Sums> readBooks(std::string_view body) {
  const auto at = body.find(R"("tips":{)");
  if (at == std::string_view::npos) return std::nullopt;
  const auto tips = body.substr(at);
  const auto count = integerMember(tips, "count");
  const auto amount = integerMember(tips, "amount");
  if (!count || !amount || *count < 0) return std::nullopt;
  return Sums{static_cast<std::uint64_t>(*count), *amount};
}

Sender makeSender(const Url& url, PrincipalKind kind, std::string name, Session session) {
  return {.id = session.id,
          .kind = kind,
          .name = std::move(name),
          .headers = senderHeaders(url, session.token),
          .signingKey = std::move(session.signingKey),
          .expiresAt = session.expiresAt};
}

std::string describe(std::string_view what, const Answer& answer) {
  const auto code = textMember(answer.body, "code");
  return fmt::format("{} was answered {}{}{}", what, answer.status, code ? " " : "",
                     code.value_or(""));
}

}  // namespace tipflow::load
