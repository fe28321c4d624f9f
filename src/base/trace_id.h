// 128-bit ids that travel with a request: the client's traceId of a tip or withdrawal, and the
// trace id of a request. Any 128 bits are accepted; the ones made here are UUIDv7 (time-ordered),
// because random ones make every insert into a unique index a random page.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace tipflow {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const TraceId&, const TraceId&) = default;

  /// 32 lower-case hex digits.
  [[nodiscard]] std::string hex() const;
  /// Big-endian, as stored: byte order is id order.
  [[nodiscard]] std::array<char, 16> bytes() const;

  /// A UUID with dashes, or 32 hex digits, in either case; nullopt for anything else.
  static std::optional<TraceId> parse(std::string_view text);
  /// From 16 big-endian bytes; throws std::invalid_argument for another length.
  static TraceId fromBytes(std::string_view bytes);
  /// UUIDv7 of the instant `now`.
  static TraceId make(Time now, Random& random);
};

}  // namespace tipflow

template <>
struct std::hash<tipflow::TraceId> {
  std::size_t operator()(const tipflow::TraceId& id) const noexcept {
    // Ids come from clients: mix, so that chosen ids do not pile up in one bucket by accident.
    std::uint64_t x = id.high ^ (id.low * 0x9E3779B97F4A7C15ULL);
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ULL;
    x ^= x >> 32;
    return x;
  }
};
