// What clients asked and were told, against the tips that stand: invariants I1 to I3 of money.md.
// Pure: entries and rows come in through `add…`, findings go out. An entry takes 72 bytes, so a
// record of ten million requests fits memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/books.h"
#include "base/enums.h"
#include "base/trace_id.h"

namespace tipflow::audit {

/// What a client was told of one request.
enum class Told {
  created,      ///< written by this request
  exists,       ///< written before, with the same content
  conflict,     ///< the traceId names a tip of other content
  refused,      ///< a rule forbids it
  unavailable,  ///< certainly not written
  unknown,      ///< nothing, or that it is not known
};

/// What makes two requests of one traceId the same tip.
struct TipContent {
  std::int64_t viewerId = 0, roomId = 0, amount = 0;
  std::int32_t giftId = 0, count = 1;
  friend bool operator==(const TipContent&, const TipContent&) = default;
};

/// One tip of one request, and its answer; tipId is 0 when none was told.
struct ClientEntry {
  TraceId traceId;
  TipContent content;
  Told told = Told::unknown;
  std::int64_t tipId = 0;
};

/// A row of `tip` (DB1), as far as its client knows it.
struct AcceptedRow {
  TraceId traceId;
  TipContent content;
  std::int64_t tipId = 0;
};

class Outcomes {
 public:
  /// All entries first, in any order.
  void addEntry(const ClientEntry& entry);
  /// Then all rows; those that no entry names are somebody else's.
  void addRow(const AcceptedRow& row);
  /// After the last row.
  std::vector<Finding> findings();

 private:
  struct Faults {
    std::int64_t count = 0;
    std::vector<std::string> examples;
    void add(const TraceId& traceId, std::string_view what);
  };
  using Group = std::pair<std::size_t, std::size_t>;  // entries [first, second) of one traceId

  void sort();
  [[nodiscard]] Group groupFrom(std::size_t first) const;
  /// Contradictions between the answers themselves.
  void compareAnswers(Group group);
  void compareWithRow(Group group, const AcceptedRow& row);
  void compareWithNothing(Group group);

  std::vector<ClientEntry> entries_;
  std::vector<bool> hasRow_;  // by the first entry of a traceId
  bool sorted_ = false;
  std::int64_t traceIds_ = 0, rows_ = 0;
  std::array<std::int64_t, 6> told_{};
  Faults i1_, i2_, i3_;
};

}  // namespace tipflow::audit

template <>
struct tipflow::EnumWords<tipflow::audit::Told> {
  using Told = audit::Told;
  static constexpr std::array values{std::pair{std::string_view{"created"}, Told::created},
                                     std::pair{std::string_view{"exists"}, Told::exists},
                                     std::pair{std::string_view{"conflict"}, Told::conflict},
                                     std::pair{std::string_view{"refused"}, Told::refused},
                                     std::pair{std::string_view{"unavailable"}, Told::unavailable},
                                     std::pair{std::string_view{"unknown"}, Told::unknown}};
};
