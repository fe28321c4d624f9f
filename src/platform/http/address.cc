#include "platform/http/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "base/text.h"

namespace tipflow {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMappedPrefix = 0xFFFFULL << 32;
constexpr int kBits = 128;
constexpr int kHalf = 64;
constexpr int kIpv4Bits = 32;

/// The lowest `count` bits of 64.
std::uint64_t lowest(int count) { return count >= kHalf ? kAll : (1ULL << count) - 1; }

std::uint64_t bigEndian(const unsigned char* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

Address next(Address address) {
  return ++address.low == 0 ? Address{address.high + 1, 0} : address;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(copy.data(), text.size());
  if (in_addr four{}; inet_pton(AF_INET, copy.data(), &four) == 1) {
    return ofIpv4(ntohl(four.s_addr));
  }
  if (in6_addr six{}; inet_pton(AF_INET6, copy.data(), &six) == 1) {
    return Address{bigEndian(six.s6_addr), bigEndian(six.s6_addr + 8)};
  }
  return std::nullopt;
}

Address Address::ofIpv4(std::uint32_t host) { return {0, kMappedPrefix | host}; }

Address Address::ofIpv6(const std::uint32_t* words) {
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), words, bytes.size());
  return {bigEndian(bytes.data()), bigEndian(bytes.data() + 8)};
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (isIpv4()) {
    const in_addr four{htonl(static_cast<std::uint32_t>(low))};
    inet_ntop(AF_INET, &four, out.data(), out.size());
  } else {
    in6_addr six{};
    for (int i = 0; i < 8; ++i) {
      six.s6_addr[i] = static_cast<unsigned char>(high >> (56 - 8 * i));
      six.s6_addr[8 + i] = static_cast<unsigned char>(low >> (56 - 8 * i));
    }
    inet_ntop(AF_INET6, &six, out.data(), out.size());
  }
  return out.data();
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = text.substr(0, slash);
  const auto address = Address::parse(base);
  if (!address) return std::nullopt;
  const bool dotted = base.find(':') == std::string_view::npos;
  int bits = dotted ? kIpv4Bits : kBits;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    int given = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
    if (error != std::errc{} || end != digits.data() + digits.size() || given < 0 || given > bits) {
      return std::nullopt;
    }
    bits = given;
  }
  if (dotted) bits += kBits - kIpv4Bits;
  const std::uint64_t highFree = bits < kHalf ? lowest(kHalf - bits) : 0;
  const std::uint64_t lowFree = lowest(std::min(kHalf, kBits - bits));
  if ((address->high & highFree) != 0 || (address->low & lowFree) != 0) return std::nullopt;
  return Network{*address, {address->high | highFree, address->low | lowFree}, bits};
}

std::string Network::text() const {
  const bool four = first.isIpv4() && bits >= kBits - kIpv4Bits;
  const int shown = four ? bits - (kBits - kIpv4Bits) : bits;
  return fmt::format("{}/{}", first.text(), shown);
}

NetworkSet::NetworkSet(const std::vector<Network>& networks) {
  std::vector<std::pair<Address, Address>> sorted;
  for (const auto& network : networks) sorted.emplace_back(network.first, network.last);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& range : sorted) {
    const bool joins = !ranges_.empty() && (range.first <= ranges_.back().second ||
                                            range.first == next(ranges_.back().second));
    if (joins) {
      ranges_.back().second = std::max(ranges_.back().second, range.second);
    } else {
      ranges_.push_back(range);
    }
  }
}

NetworkSet NetworkSet::parse(std::string_view list) {
  std::vector<Network> networks;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto entry = trimmed(list.substr(0, comma));
    const auto network = Network::parse(entry);
    if (!network) {
      throw std::invalid_argument(
          fmt::format("'{}' is not a network such as 10.0.0.0/8 or 2001:db8::/32", entry));
    }
    networks.push_back(*network);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return NetworkSet(networks);
}

bool NetworkSet::contains(const Address& address) const {
  const auto after = std::upper_bound(
      ranges_.begin(), ranges_.end(), address,
      [](const Address& wanted, const auto& range) { return wanted < range.first; });
  return after != ranges_.begin() && address <= std::prev(after)->second;
}

}  // namespace tipflow
