#include "platform/security/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "platform/security/crypto.h"

namespace tipflow {
namespace {

constexpr std::size_t kKnownPerShard = 32'768;
constexpr std::size_t kLongestToken = 1'024;

// Seconds since the epoch as an instant; beyond the years 1970 to 9999 nothing was given out, and
// is long past.
Time timeOfSeconds(std::int64_t seconds) {
  constexpr std::int64_t kLatest = 253'402'300'799;
  return seconds < 0 || seconds > kLatest ? Time{} : Time{seconds * kUsPerSecond};
}

std::optional<boost::json::object> decodedObject(std::string_view part) {
  const auto text = crypto::fromBase64Url(part);
  if (!text) return std::nullopt;
  boost::json::error_code error;
  auto value = boost::json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::string_view textOf(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view{};
}

std::int64_t numberOf(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  const auto* number = value != nullptr ? value->if_int64() : nullptr;
  return number != nullptr ? *number : 0;
}

}  // namespace

Tokens::Tokens(std::string_view key, const Clock& clock, Random& random, Revocations& revocations)
    : Tokens(std::make_shared<const KeyList>(KeyList{tokenKey(key, std::nullopt)}), clock, random,
             revocations) {}

Tokens::Tokens(Keys keys, const Clock& clock, Random& random, Revocations& revocations)
    : keys_(std::move(keys)), clock_(clock), random_(random), revocations_(revocations) {
  revocations_.onRevoked([this](const std::string& tokenId) {
    for (auto& shard : shards_) {
      const std::unique_lock lock(shard.mutex);
      std::erase_if(shard.known, [&](const auto& e) { return e.second->tokenId == tokenId; });
    }
  });
}

Keys Tokens::keys() const {
  const std::lock_guard lock(keysMutex_);
  return keys_;
}

void Tokens::useKeys(Keys fresh) {
  const auto old = keys();
  if (old == fresh) return;
  const bool lost = std::any_of(old->begin(), old->end(), [&](const NamedKey& key) {
    return findKey(*fresh, key.id) == nullptr;
  });
  {
    const std::lock_guard lock(keysMutex_);
    keys_ = std::move(fresh);
  }
  if (!lost) return;
  // Whoever holds a good token is verified once more.
  for (auto& shard : shards_) {
    const std::unique_lock lock(shard.mutex);
    shard.known.clear();
  }
}

IssuedToken Tokens::issue(PrincipalKind kind, std::int64_t id, Role role) {
  const Time now = clock_.now();
  const Time expires{
      (now + (kind == PrincipalKind::operator_ ? kOperatorLifetime : kPersonLifetime)).us /
      kUsPerSecond * kUsPerSecond};
  const auto tokenId = TraceId::make(now, random_).hex();
  const auto known = keys();
  const auto& key = known->front();
  const auto header = fmt::format(R"({{"alg":"HS256","kid":"{}","typ":"JWT"}})", key.id);
  const auto payload = fmt::format(
      R"({{"sub":"{}","kind":"{}","role":"{}","jti":"{}","iat":{},"exp":{}}})", id, word(kind),
      word(role), tokenId, now.us / kUsPerSecond, expires.us / kUsPerSecond);
  auto text = crypto::toBase64Url(header) + "." + crypto::toBase64Url(payload);
  text += "." + crypto::toBase64Url(crypto::hmacSha256(key.secret.bytes(), text));
  return {text, expires,
          crypto::toBase64Url(crypto::hmacSha256(key.secret.bytes(), "signing:" + tokenId))};
}

std::shared_ptr<const Principal> Tokens::verify(std::string_view token) {
  if (token.size() > kLongestToken) return nullptr;
  auto& shard = shardOf(token);
  {
    const std::shared_lock lock(shard.mutex);
    if (const auto found = shard.known.find(token); found != shard.known.end()) {
      counters_.hit();
      return found->second->expiresAt > clock_.now() ? found->second : nullptr;
    }
  }
  counters_.miss();
  const auto known = keys();
  auto decoded = decode(token, *known);
  if (!decoded || revocations_.has(decoded->tokenId)) return nullptr;
  auto principal = std::make_shared<const Principal>(std::move(*decoded));
  {
    const std::unique_lock lock(shard.mutex);
    if (shard.known.size() >= kKnownPerShard) shard.known.clear();
    shard.known.emplace(token, principal);
  }
  // Looked at once more: a revocation, or a change of keys, in between has forgotten what was known
  // before this.
  if (revocations_.has(principal->tokenId)) {
    forget(shard, token);
    return nullptr;
  }
  if (keys() != known) forget(shard, token);
  return principal;
}

void Tokens::forget(Shard& shard, std::string_view token) {
  const std::unique_lock lock(shard.mutex);
  if (const auto found = shard.known.find(token); found != shard.known.end()) {
    shard.known.erase(found);
  }
}

std::optional<Principal> Tokens::decode(std::string_view token, const KeyList& keys) const {
  const auto firstDot = token.find('.');
  const auto lastDot = token.rfind('.');
  if (firstDot == std::string_view::npos || lastDot == firstDot) return std::nullopt;
  // The header is not to be believed yet: it only says which of our keys to try.
  const auto header = decodedObject(token.substr(0, firstDot));
  if (!header || textOf(*header, "alg") != "HS256") return std::nullopt;
  const auto* key = findKey(keys, textOf(*header, "kid"));
  const auto signature = crypto::fromBase64Url(token.substr(lastDot + 1));
  if (key == nullptr || !signature ||
      !crypto::equal(*signature,
                     crypto::hmacSha256(key->secret.bytes(), token.substr(0, lastDot)))) {
    return std::nullopt;
  }
  const auto payload = decodedObject(token.substr(firstDot + 1, lastDot - firstDot - 1));
  if (!payload) return std::nullopt;
  const auto kind = fromWord<PrincipalKind>(textOf(*payload, "kind"));
  const auto role = fromWord<Role>(textOf(*payload, "role"));
  Principal principal;
  principal.expiresAt = timeOfSeconds(numberOf(*payload, "exp"));
  if (!kind || !role || principal.expiresAt <= clock_.now()) return std::nullopt;
  principal.kind = *kind;
  principal.role = *role;
  const auto subject = std::string(textOf(*payload, "sub"));
  principal.id = std::strtoll(subject.c_str(), nullptr, 10);
  principal.tokenId = textOf(*payload, "jti");
  principal.signingKey = crypto::hmacSha256(key->secret.bytes(), "signing:" + principal.tokenId);
  return principal;
}

drogon::Task<> Tokens::revoke(std::shared_ptr<const Principal> principal) {
  auto tokenId = principal->tokenId;
  co_await revocations_.revoke(std::move(tokenId), principal->expiresAt);
}

Tokens::Shard& Tokens::shardOf(std::string_view token) {
  // Other bits than the shard's own table uses.
  return shards_[(EndHash{}(token) >> 32) % shards_.size()];
}

}  // namespace tipflow
