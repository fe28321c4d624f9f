#include "analysis/viewer_set.h"

#include <bit>
#include <cstring>

#include "base/money.h"

namespace tipflow::analysis {
namespace {

constexpr std::int64_t kWordBits = 64;
static_assert(std::endian::native == std::endian::little,
              "blocks are kept as words of this machine");

}  // namespace

void ViewerSet::add(ViewerId viewer) {
  if (viewer.value < 0) throw BrokenInvariant("a viewer's id is negative");
  const auto place = viewer.value % kBlockViewers;
  blocks_[viewer.value / kBlockViewers][static_cast<std::size_t>(place / kWordBits)] |=
      std::uint64_t{1} << (place % kWordBits);
}

void ViewerSet::addBlock(std::int64_t block, std::string_view bits) {
  if (block < 0 || bits.size() != kBlockBytes) throw BrokenInvariant("not a block of viewers");
  Block words;
  std::memcpy(words.data(), bits.data(), kBlockBytes);
  auto& own = blocks_[block];
  for (std::size_t i = 0; i < kBlockWords; ++i) own[i] |= words[i];
}

void ViewerSet::add(const ViewerSet& other) {
  for (const auto& [number, words] : other.blocks_) {
    auto& own = blocks_[number];
    for (std::size_t i = 0; i < kBlockWords; ++i) own[i] |= words[i];
  }
}

bool ViewerSet::has(ViewerId viewer) const {
  const auto found = blocks_.find(viewer.value / kBlockViewers);
  if (found == blocks_.end()) return false;
  const auto place = viewer.value % kBlockViewers;
  const auto word = found->second[static_cast<std::size_t>(place / kWordBits)];
  return (word >> (place % kWordBits) & 1) != 0;
}

std::int64_t ViewerSet::count() const {
  std::int64_t count = 0;
  for (const auto& [_, words] : blocks_) {
    for (const auto word : words) count += std::popcount(word);
  }
  return count;
}

std::int64_t ViewerSet::countShared(const ViewerSet& other) const {
  std::int64_t count = 0;
  for (const auto& [number, words] : blocks_) {
    const auto found = other.blocks_.find(number);
    if (found == other.blocks_.end()) continue;
    for (std::size_t i = 0; i < kBlockWords; ++i)
      count += std::popcount(words[i] & found->second[i]);
  }
  return count;
}

ViewerSet ViewerSet::shared(const ViewerSet& other) const {
  ViewerSet both;
  for (const auto& [number, words] : blocks_) {
    const auto found = other.blocks_.find(number);
    if (found == other.blocks_.end()) continue;
    auto& block = both.blocks_[number];
    for (std::size_t i = 0; i < kBlockWords; ++i) block[i] = words[i] & found->second[i];
  }
  return both;
}

std::vector<std::pair<std::int64_t, std::string>> ViewerSet::blocks() const {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const auto& [number, words] : blocks_) {
    std::string bits(kBlockBytes, '\0');
    std::memcpy(bits.data(), words.data(), kBlockBytes);
    found.emplace_back(number, std::move(bits));
  }
  return found;
}

std::vector<Cohort> cohortsOf(std::span<const ViewerSet> periods) {
  std::vector<Cohort> cohorts;
  for (std::size_t i = 0; i < periods.size(); ++i) {
    Cohort cohort{periods[i].count(), {}};
    for (std::size_t later = i + 1; later < periods.size(); ++later) {
      cohort.returned.push_back(periods[i].countShared(periods[later]));
    }
    cohorts.push_back(std::move(cohort));
  }
  return cohorts;
}

Repeats repeatsOf(std::span<const ViewerSet> days) {
  ViewerSet seen;
  ViewerSet again;
  for (const auto& day : days) {
    again.add(seen.shared(day));
    seen.add(day);
  }
  return {seen.count(), again.count()};
}

}  // namespace tipflow::analysis
