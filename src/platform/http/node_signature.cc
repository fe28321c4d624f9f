#include "platform/http/node_signature.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

constexpr Duration kWindow{30 * kUsPerSecond};
constexpr std::string_view kVersion = "n1=";
constexpr std::size_t kLongestName = 128;
constexpr std::size_t kTimestampDigits = 15;

// The first line keeps these texts apart from those of people's requests.
std::string nodeSignature(std::string_view key, const NodeParts& parts) {
  std::string text = "tipflow node\n";
  for (const auto part : {parts.node, parts.method, parts.target, parts.timestamp}) {
    text += part;
    text += '\n';
  }
  crypto::appendHex(text, crypto::bytesOf(crypto::sha256Digest(parts.body)));
  return std::string(kVersion) + crypto::toHex(crypto::hmacSha256(key, text));
}

}  // namespace

bool isNodeName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

NodeHeaders signNode(std::string_view key, std::string_view node, std::string_view method,
                     std::string_view target, std::string_view body, Time now) {
  NodeHeaders headers{std::string(node), std::to_string(now.us / kUsPerMs), {}};
  headers.signature = nodeSignature(key, {node, method, target, headers.timestamp, body});
  return headers;
}

bool NodeSignatureCheck::accepts(const NodeParts& parts, std::string_view signature) const {
  std::int64_t sentMs = 0;
  const auto* const end = parts.timestamp.data() + parts.timestamp.size();
  const auto [stopped, error] = std::from_chars(parts.timestamp.data(), end, sentMs);
  if (error != std::errc{} || stopped != end || parts.timestamp.size() > kTimestampDigits) {
    return false;
  }
  if (std::chrono::abs(Time{sentMs * kUsPerMs} - clock_.now()) > kWindow) return false;
  return isNodeName(parts.node) && crypto::equal(signature, nodeSignature(key_, parts));
}

}  // namespace tipflow::http
