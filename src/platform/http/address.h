// Internet addresses and sets of networks. IPv4 addresses are kept as IPv6 has them
// (::ffff:a.b.c.d), so that one address is one value however it was written. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tipflow {

/// An IPv4 or IPv6 address, as a number of 128 bits.
struct Address {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const Address&, const Address&) = default;

  /// `a.b.c.d` or any form of RFC 4291; no port, brackets or zone.
  static std::optional<Address> parse(std::string_view text);
  /// `host`: in the machine's byte order.
  static Address ofIpv4(std::uint32_t host);
  /// Four words in network byte order, as sockets have them.
  static Address ofIpv6(const std::uint32_t* words);

  [[nodiscard]] bool isIpv4() const { return high == 0 && low >> 32 == 0xFFFF; }
  /// The usual form of RFC 5952; IPv4 as `a.b.c.d`.
  [[nodiscard]] std::string text() const;
  /// What one customer of a network provider holds: an IPv4 address, or an IPv6 /64.
  [[nodiscard]] Address site() const { return isIpv4() ? *this : Address{high, 0}; }
};

/// All addresses that share the first `bits` of 128.
struct Network {
  Address first;
  Address last;
  int bits = 128;

  friend bool operator==(const Network&, const Network&) = default;

  /// `10.0.0.0/8`, `2001:db8::/32`, or a single address. Bits set behind the prefix are an error:
  /// whoever writes 10.0.0.1/8 may mean either.
  static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(const Address& address) const {
    return first <= address && address <= last;
  }
  [[nodiscard]] bool overlaps(const Network& other) const {
    return first <= other.last && other.first <= last;
  }
};

/// Networks to look an address up in; a lookup is a binary search without locks or allocation.
class NetworkSet {
 public:
  NetworkSet() = default;
  explicit NetworkSet(const std::vector<Network>& networks);
  /// Networks between commas. Throws std::invalid_argument naming the one that is none.
  static NetworkSet parse(std::string_view list);

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool contains(const Address& address) const;

 private:
  std::vector<std::pair<Address, Address>> ranges_;  // ordered, apart from each other
};

}  // namespace tipflow
