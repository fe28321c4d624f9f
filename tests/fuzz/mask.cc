// Masking: of whatever body and query, no secret member or parameter is written down, the quick
// look misses none that the careful one finds, and what is written is one line. Input: a query, a
// line end, a body.
#include "platform/mask.h"

#include <boost/json.hpp>

#include "property.h"

namespace tipflow {
namespace {

using fuzz::require;

// Whether a secret member stands anywhere in `value`; each must have been replaced already.
bool holdsMasked(const boost::json::value& value) {
  bool found = false;
  if (const auto* list = value.if_array()) {
    for (const auto& item : *list) found = holdsMasked(item) || found;
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      if (isSecretName({member.key().data(), member.key().size()})) {
        require(member.value() == kMasked.data(), "the value of a secret member is replaced");
        found = true;
      } else {
        found = holdsMasked(member.value()) || found;
      }
    }
  }
  return found;
}

void checkBody(std::string_view body) {
  const auto masked = maskedJson(body);
  for (const char c : masked) {
    require(static_cast<unsigned char>(c) >= 0x20, "what is written is one line");
  }
  boost::json::error_code error;
  const auto value = boost::json::parse(masked, error);
  if (error) {
    require(masked == "(" + std::to_string(body.size()) + " bytes)", "else its length is noted");
    return;
  }
  require(value.is_structured(), "only objects and lists are written");
  if (holdsMasked(value)) require(mayHoldSecrets(body), "the quick look misses no secret");
}

void checkQuery(std::string_view query) {
  const auto masked = maskedQuery(query);
  if (masked != query) require(mayHoldSecrets(query), "the quick look misses no secret");
  require(maskedQuery(masked) == masked, "what is masked stays as it is");
  for (std::string_view rest = masked; !rest.empty();) {
    auto pair = fuzz::take(rest, '&');
    if (pair.find('=') == std::string_view::npos) continue;
    const auto name = fuzz::take(pair, '=');
    if (isSecretName(name)) require(pair == kMasked, "the value of a secret parameter is replaced");
  }
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = tipflow::fuzz::asText(data, size);
  tipflow::checkQuery(tipflow::fuzz::take(input, '\n'));
  tipflow::checkBody(input);
  return 0;
}
