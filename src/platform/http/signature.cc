#include "platform/http/signature.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "platform/http/call.h"
#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

constexpr Duration kWindow{300 * kUsPerSecond};
constexpr std::string_view kVersion = "v1=";
// Far beyond any clock, and no number of microseconds overflows.
constexpr std::size_t kTimestampDigits = 15;

bool isNonce(std::string_view text) {
  return text.size() >= 16 && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

}  // namespace

std::string signedText(const SignedParts& parts) {
  std::string text;
  text.reserve(parts.target.size() + 192);
  for (const auto part : {parts.method, parts.target, parts.timestamp, parts.nonce}) {
    text += part;
    text += '\n';
  }
  crypto::appendHex(text, crypto::bytesOf(crypto::sha256Digest(parts.body)));
  return text;
}

std::optional<Time> SignatureCheck::check(const Principal& principal, const SignedParts& parts,
                                          std::string_view signature) const {
  if (signature.empty() && !required_) return std::nullopt;
  if (!signature.starts_with(kVersion)) {
    throw Refused(ErrorCode::invalid_signature, "X-Tipflow-Signature must be v1=<hex>");
  }
  std::int64_t sentMs = 0;
  const auto [end, error] = std::from_chars(
      parts.timestamp.data(), parts.timestamp.data() + parts.timestamp.size(), sentMs);
  if (error != std::errc{} || end != parts.timestamp.data() + parts.timestamp.size() ||
      sentMs < 0 || parts.timestamp.front() == '0' || parts.timestamp.size() > kTimestampDigits) {
    throw Refused(ErrorCode::invalid_signature, "X-Tipflow-Timestamp must be Unix milliseconds");
  }
  const Time sent{sentMs * kUsPerMs};
  if (std::chrono::abs(sent - clock_.now()) > kWindow) throw Refused(ErrorCode::stale_timestamp);
  if (!isNonce(parts.nonce)) {
    throw Refused(ErrorCode::invalid_signature,
                  "X-Tipflow-Nonce must have 16 to 64 url-safe characters");
  }
  const auto expected = principal.signingKey.sign(signedText(parts));
  if (!crypto::equal(signature.substr(kVersion.size()), crypto::toHex(crypto::bytesOf(expected)))) {
    throw Refused(ErrorCode::invalid_signature);
  }
  return sent;
}

drogon::Task<> SignatureCheck::takeNonce(std::string tokenId, std::string nonce, Time sent,
                                         bool repeatable) const {
  Nonces::Use use{tokenId + ":" + nonce, sent, repeatable};
  const auto taken = co_await nonces_.take(std::move(use));
  switch (taken) {
    case Nonces::Taken::fresh:
      co_return;
    case Nonces::Taken::used:
      throw Refused(ErrorCode::nonce_used);
    case Nonces::Taken::stale:
      throw Refused(ErrorCode::stale_timestamp);
    case Nonces::Taken::full:
      throw Refused(ErrorCode::overloaded);
    case Nonces::Taken::away:
      throw Refused(ErrorCode::unavailable);
  }
}

}  // namespace tipflow::http
