// A room's latest events, numbered within an epoch, so that a client that was away gets what it
// missed: all of it, or nothing. Bounded by bytes. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace tipflow::room {

class Ring {
 public:
  explicit Ring(std::size_t mostBytes) : mostBytes_(mostBytes) {}

  /// `event`: JSON.
  void add(std::string event);
  /// The number of the newest event; 0 before there was one.
  [[nodiscard]] std::int64_t offset() const { return offset_; }
  /// The events behind `offset`, joined by commas; nullopt when some are gone or it never was.
  [[nodiscard]] std::optional<std::string> since(std::int64_t offset) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::size_t mostBytes_;
  std::size_t bytes_ = 0;
  std::int64_t offset_ = 0;
  std::deque<std::string> events_;  // the last one is number offset_
};

}  // namespace tipflow::room
