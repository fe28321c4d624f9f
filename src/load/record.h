// Every acknowledged tip, kept compactly until it is looked up: 24 bytes each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/trace_id.h"

namespace tipflow::load {

struct Acknowledged {
  TraceId traceId;
  std::int32_t amountFen = 0;
  std::uint32_t viewer = 0;  ///< place among the stream's senders
};
static_assert(sizeof(Acknowledged) == 24);

/// A tip that was not acknowledged and may be written all the same: it was refused for good, or
/// given up, after a try that ended without an answer.
struct Doubtful {
  TraceId traceId;
  std::int64_t amountFen = 0;
  std::uint32_t viewer = 0;
  std::uint32_t room = 0;  ///< place among the stream's rooms
};

/// Grows by whole blocks, so that adding one never copies the others. Holds the newest `most`,
/// rounded up to a block.
class Record {
 public:
  explicit Record(std::size_t most) : most_(most) {}

  void add(const Acknowledged& tip) {
    ++added_;
    if (most_ == 0) return;
    if (inLast_ == kBlock) {
      blocks_.push_back(std::make_unique<Block>());
      inLast_ = 0;
    }
    (*blocks_.back())[inLast_++] = tip;
    if ((blocks_.size() - 1) * kBlock >= most_) blocks_.pop_front();
  }

  /// How many are kept, and how many there were.
  [[nodiscard]] std::size_t size() const {
    return blocks_.empty() ? 0 : (blocks_.size() - 1) * kBlock + inLast_;
  }
  [[nodiscard]] std::uint64_t added() const { return added_; }
  [[nodiscard]] const Acknowledged& at(std::size_t place) const {
    return (*blocks_[place / kBlock])[place % kBlock];
  }

 private:
  static constexpr std::size_t kBlock = 65'536;
  using Block = std::array<Acknowledged, kBlock>;

  std::size_t most_;
  std::uint64_t added_ = 0;
  std::deque<std::unique_ptr<Block>> blocks_;
  std::size_t inLast_ = kBlock;
};

}  // namespace tipflow::load
