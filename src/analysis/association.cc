#include "analysis/association.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace tipflow::analysis {
namespace {

constexpr double kUnits = 1'024;
// Beyond these an instant is no activity of this base but a fault; the base moves on long before.
constexpr std::int64_t kDaysMost = 24 * kHalfLifeDays;

/// What a viewer has of one tag.
struct Strength {
  std::int64_t tips = 0;
  Time lastAt;
};

bool wasActive(const RoomActivity& room) {
  return room.tips > 0 || room.watchedSeconds >= kWatchedSeconds;
}

std::int64_t weightOf(const Strength& strength, std::int64_t baseDay) {
  const auto days = std::min(dayOf(strength.lastAt) - baseDay, kDaysMost);
  const double growth = std::exp2(static_cast<double>(days) / static_cast<double>(kHalfLifeDays));
  const double tips = std::log2(1.0 + static_cast<double>(strength.tips));
  return std::llround(kUnits * (1.0 + tips) * growth);
}

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) throw std::invalid_argument("a line has no end");
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

std::int64_t dayOf(Time time) {
  const auto day = time.us / kUsPerDay;
  return time.us % kUsPerDay < 0 ? day - 1 : day;
}

TagWeights weightsOf(const std::vector<RoomActivity>& rooms,
                     const std::vector<std::string>& carried, std::int64_t baseDay) {
  std::map<std::string, Strength> strengths;
  Time newest;
  for (const auto& room : rooms) {
    if (!wasActive(room)) continue;
    newest = std::max(newest, room.lastAt);
    for (const auto& tag : room.tags) {
      auto& strength = strengths[tag];
      strength.tips += room.tips;
      strength.lastAt = std::max(strength.lastAt, room.lastAt);
    }
  }
  if (newest == Time{}) return {};  // who was never active says nothing about tags
  for (const auto& tag : carried) strengths[tag].lastAt = newest;

  TagWeights weights;
  for (const auto& [tag, strength] : strengths) {
    if (const auto weight = weightOf(strength, baseDay); weight > 0)
      weights.push_back({tag, weight});
  }
  // The heaviest; of equals the first by name, so that the choice is the same each time.
  std::stable_sort(weights.begin(), weights.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (weights.size() > kTagsMost) weights.resize(kTagsMost);
  std::sort(weights.begin(), weights.end(),
            [](const auto& a, const auto& b) { return a.tag < b.tag; });
  return weights;
}

std::string encode(const TagWeights& weights) {
  std::string text;
  for (const auto& [tag, weight] : weights) text += std::to_string(weight) + ' ' + tag + '\n';
  return text;
}

TagWeights decodeWeights(std::string_view text) {
  TagWeights weights;
  for (const auto line : linesOf(text)) {
    TagWeight one;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), one.weight);
    if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') {
      throw std::invalid_argument("a line is no weight and tag");
    }
    one.tag = line.substr(static_cast<std::size_t>(end - line.data()) + 1);
    weights.push_back(std::move(one));
  }
  return weights;
}

std::string encode(const std::vector<std::string>& tags) {
  std::string text;
  for (const auto& tag : tags) text += tag + '\n';
  return text;
}

std::vector<std::string> decodeTags(std::string_view text) {
  const auto lines = linesOf(text);
  return {lines.begin(), lines.end()};
}

TagPair pairOf(std::string a, std::string b) {
  return a < b ? TagPair{std::move(a), std::move(b)} : TagPair{std::move(b), std::move(a)};
}

void TagSums::count(const TagWeights& weights, int sign) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto& a = weights[i];
    tags_[a.tag].add({sign * a.weight, sign});
    for (std::size_t j = i + 1; j < weights.size(); ++j) {
      const auto& b = weights[j];
      pairs_[{a.tag, b.tag}].add({sign * std::min(a.weight, b.weight), sign});
    }
  }
}

double associationOf(const TagSum& a, const TagSum& b, const TagSum& both) {
  if (a.weight <= 0 || b.weight <= 0 || both.weight <= 0 || both.viewers <= 0) return 0;
  const double together = static_cast<double>(both.weight);
  const double apart =
      std::sqrt(static_cast<double>(a.weight)) * std::sqrt(static_cast<double>(b.weight));
  const auto viewers = static_cast<double>(both.viewers);
  // At most 1 by the decision's proof; the last digit of a double may say otherwise.
  const double share = std::min(1.0, together / apart);
  return share * viewers / (viewers + static_cast<double>(kShrinkageViewers));
}

}  // namespace tipflow::analysis
