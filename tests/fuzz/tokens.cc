// Tokens: only what was signed with the key, unaltered, of the one algorithm, for a known role and
// not expired, is somebody. The first byte says what the rest is: `r` a token as it came, `e` edits
// of a genuine one (pairs of position and byte), `s` a header, a line end and a payload that are
// then signed as if the key had leaked into a careless issuer.
#include <boost/json.hpp>

#include "platform/security/crypto.h"
#include "platform/security/tokens.h"
#include "property.h"

namespace tipflow {
namespace {

using fuzz::require;

constexpr Time kNow{1'770'000'000 * kUsPerSecond};
const std::string kKey(32, 'k');

// Everything that a token is checked with; the genuine token is the same in every run.
struct World {
  ManualClock clock{kNow};
  SeededRandom random{1};
  LocalBus bus;
  Revocations revocations{clock, bus};
  Tokens tokens{kKey, clock, random, revocations};
  IssuedToken genuine = tokens.issue(PrincipalKind::viewer, 7, Role::viewer);
};

std::string edited(std::string token, std::string_view edits) {
  for (; edits.size() >= 2; edits.remove_prefix(2)) {
    const auto at = static_cast<unsigned char>(edits[0]);
    if (at < token.size()) token[at] = edits[1];
  }
  return token;
}

std::string withSignature(std::string_view header, std::string_view payload) {
  auto text = crypto::toBase64Url(header) + "." + crypto::toBase64Url(payload);
  return text + "." + crypto::toBase64Url(crypto::hmacSha256(kKey, text));
}

std::string_view member(const boost::json::value& of, const char* name) {
  const auto* object = of.if_object();
  const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(text->data(), text->size()) : "";
}

// What a signed token must be to be accepted, said once more and differently.
bool deserves(std::string_view header, std::string_view payload) {
  boost::json::error_code bad;
  const auto head = boost::json::parse({header.data(), header.size()}, bad);
  if (bad) return false;
  const auto body = boost::json::parse({payload.data(), payload.size()}, bad);
  if (bad || !body.is_object() || !body.as_object().contains("exp")) return false;
  const auto* expires = body.as_object().at("exp").if_int64();
  const auto kind = member(body, "kind");
  const auto role = member(body, "role");
  return member(head, "alg") == "HS256" &&
         member(head, "kid") == crypto::toHex(crypto::sha256(kKey)).substr(0, 8) &&
         (kind == "viewer" || kind == "anchor" || kind == "operator") &&
         (role == "viewer" || role == "anchor" || role == "operator" || role == "admin") &&
         expires != nullptr && *expires > kNow.us / kUsPerSecond && *expires < 253'402'300'800;
}

void checkToken(std::string_view input) {
  static World world;
  if (input.empty()) return;
  const char mode = input.front();
  input.remove_prefix(1);
  const auto& genuine = world.genuine.token;
  if (mode == 's') {
    const auto header = fuzz::take(input, '\n');
    const auto token = withSignature(header, input);
    const auto accepted = world.tokens.verify(token);
    require(!accepted || deserves(header, input), "a token that does not deserve it is nobody");
    require(accepted || token.size() > 1'024 || !deserves(header, input) || input.size() > 500,
            "a right token is somebody");
    return;
  }
  const auto token = mode == 'e' ? edited(genuine, input) : std::string(input);
  const auto accepted = world.tokens.verify(token);
  require((accepted != nullptr) == (token == genuine), "only the genuine token is somebody");
  require(!accepted || (accepted->id == 7 && accepted->role == Role::viewer),
          "and it is whom it was made for");
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tipflow::crypto::initialise();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::checkToken(tipflow::fuzz::asText(data, size));
  return 0;
}
