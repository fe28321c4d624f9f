#include "audit/outcomes.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow::audit {
namespace {

constexpr std::size_t kExamples = 5;

bool acknowledged(const ClientEntry& entry) {
  return entry.told == Told::created || entry.told == Told::exists;
}

bool isBefore(const ClientEntry& entry, const TraceId& traceId) { return entry.traceId < traceId; }

}  // namespace

void Outcomes::Faults::add(const TraceId& traceId, std::string_view what) {
  ++count;
  if (examples.size() < kExamples) {
    examples.push_back(fmt::format("traceId {}: {}", traceId.hex(), what));
  }
}

void Outcomes::addEntry(const ClientEntry& entry) {
  ++told_[static_cast<std::size_t>(entry.told)];
  entries_.push_back(entry);
}

void Outcomes::sort() {
  if (std::exchange(sorted_, true)) return;
  std::stable_sort(
      entries_.begin(), entries_.end(),
      [](const ClientEntry& a, const ClientEntry& b) { return a.traceId < b.traceId; });
  hasRow_.assign(entries_.size(), false);
  for (std::size_t i = 0; i < entries_.size();) {
    const auto group = groupFrom(i);
    compareAnswers(group);
    ++traceIds_;
    i = group.second;
  }
}

Outcomes::Group Outcomes::groupFrom(std::size_t first) const {
  std::size_t end = first;
  while (end < entries_.size() && entries_[end].traceId == entries_[first].traceId) ++end;
  return {first, end};
}

void Outcomes::compareAnswers(Group group) {
  const ClientEntry* known = nullptr;
  int created = 0;
  for (auto i = group.first; i < group.second; ++i) {
    const auto& entry = entries_[i];
    if (!acknowledged(entry)) continue;
    if (entry.told == Told::created && ++created == 2) {
      i3_.add(entry.traceId, "was told to be created more than once");
    }
    if (known == nullptr) {
      known = &entry;
    } else if (known->content != entry.content) {
      i3_.add(entry.traceId, "two contents were acknowledged");
    } else if (known->tipId != 0 && entry.tipId != 0 && known->tipId != entry.tipId) {
      i3_.add(entry.traceId,
              fmt::format("was acknowledged as tip {} and as tip {}", known->tipId, entry.tipId));
    }
    if (entry.tipId != 0) known = &entry;
  }
}

void Outcomes::addRow(const AcceptedRow& row) {
  sort();
  const auto place = std::lower_bound(entries_.begin(), entries_.end(), row.traceId, isBefore);
  if (place == entries_.end() || place->traceId != row.traceId) return;
  const auto first = static_cast<std::size_t>(place - entries_.begin());
  if (hasRow_[first]) {
    i1_.add(row.traceId, fmt::format("stands twice, the second time as tip {}", row.tipId));
    return;
  }
  hasRow_[first] = true;
  ++rows_;
  compareWithRow(groupFrom(first), row);
}

void Outcomes::compareWithRow(Group group, const AcceptedRow& row) {
  bool asked = false;        // somebody asked for what stands
  bool mayHaveBeen = false;  // and was not told that it was certainly not written
  for (auto i = group.first; i < group.second; ++i) {
    const auto& entry = entries_[i];
    const bool same = entry.content == row.content;
    if (acknowledged(entry)) {
      if (!same) i1_.add(row.traceId, "was acknowledged and stands with other content");
      if (entry.tipId != 0 && entry.tipId != row.tipId) {
        i1_.add(row.traceId, fmt::format("was acknowledged as tip {} and stands as tip {}",
                                         entry.tipId, row.tipId));
      }
    }
    if (!same) continue;
    asked = true;
    if (entry.told == Told::conflict) {
      i3_.add(row.traceId, "was told to be a conflict and stands with the same content");
    }
    mayHaveBeen = mayHaveBeen || acknowledged(entry) || entry.told == Told::unknown;
  }
  if (!asked) i2_.add(row.traceId, "stands with a content that nobody asked for");
  if (asked && !mayHaveBeen) {
    i2_.add(row.traceId, "was told to be not written and stands all the same");
  }
}

void Outcomes::compareWithNothing(Group group) {
  for (auto i = group.first; i < group.second; ++i) {
    const auto& entry = entries_[i];
    if (acknowledged(entry)) {
      i1_.add(entry.traceId,
              fmt::format("was acknowledged as tip {} and is not there", entry.tipId));
    } else if (entry.told == Told::conflict) {
      i3_.add(entry.traceId, "was told to be a conflict and nothing stands");
    }
  }
}

std::vector<Finding> Outcomes::findings() {
  sort();
  for (std::size_t i = 0; i < entries_.size();) {
    const auto group = groupFrom(i);
    if (!hasRow_[i]) compareWithNothing(group);
    i = group.second;
  }
  const auto told = [&](Told word) { return told_[static_cast<std::size_t>(word)]; };
  const auto finding = [](const char* id, const char* says, std::string figures, Faults& faults) {
    return Finding{id, says, std::move(figures), faults.count, std::move(faults.examples)};
  };
  return {
      finding("I1", "what was acknowledged stands exactly once, field for field",
              fmt::format("{} created, {} exists; {} traceIds asked for, {} stand",
                          told(Told::created), told(Told::exists), traceIds_, rows_),
              i1_),
      finding("I2", "what was not acknowledged stands at most once, and not when told so",
              fmt::format("{} unknown, {} unavailable, {} refused", told(Told::unknown),
                          told(Told::unavailable), told(Told::refused)),
              i2_),
      finding("I3", "one traceId, one content, one answer",
              fmt::format("{} conflicts", told(Told::conflict)), i3_),
  };
}

}  // namespace tipflow::audit
