#include "audit/record.h"

#include <fmt/format.h>

#include <stdexcept>

#include "platform/json.h"

namespace tipflow::audit {
namespace {

constexpr int kChunk = 50'000;

constexpr const char* kTips = R"(
  SELECT tip_id, trace_id, viewer_id, room_id, amount, gift_id, gift_count
  FROM tip WHERE tip_id > ? ORDER BY tip_id LIMIT ?)";

using AnyId = Ranged<0, kIdEnd - 1>;
using AnyInt = Ranged<0, 2'147'483'647>;

}  // namespace

struct RecordLine {
  TraceId traceId;
  AnyId viewerId;
  AnyId roomId;
  AnyId amount;
  std::optional<AnyInt> giftId;
  std::optional<AnyInt> count;
  Told outcome = Told::unknown;
  std::optional<AnyId> tipId;
};
BOOST_DESCRIBE_STRUCT(RecordLine, (),
                      (traceId, viewerId, roomId, amount, giftId, count, outcome, tipId))

namespace {

ClientEntry entryOf(const RecordLine& line) {
  ClientEntry entry;
  entry.traceId = line.traceId;
  entry.content = {line.viewerId.value, line.roomId.value, line.amount.value, 0, 1};
  if (line.giftId) entry.content.giftId = static_cast<std::int32_t>(line.giftId->value);
  if (line.count) entry.content.count = static_cast<std::int32_t>(line.count->value);
  entry.told = line.outcome;
  if (line.tipId) entry.tipId = line.tipId->value;
  return entry;
}

[[noreturn]] void refuse(std::int64_t number, const Rejection& why) {
  if (why.errors.empty()) {
    const std::string_view text = why.detail.empty() ? info(why.code).code : why.detail;
    throw std::runtime_error(fmt::format("line {}: {}", number, text));
  }
  const auto& first = why.errors.front();
  throw std::runtime_error(fmt::format("line {}: {} {}", number, first.field, first.detail));
}

}  // namespace

Outcomes readRecord(std::istream& lines) {
  Outcomes outcomes;
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    try {
      outcomes.addEntry(entryOf(json::readBody<RecordLine>(line)));
    } catch (const BadRequest& bad) {
      refuse(number, bad.rejection());
    }
  }
  if (lines.bad()) throw std::runtime_error(fmt::format("cannot be read after line {}", number));
  return outcomes;
}

void addRows(Outcomes& outcomes, db::Connection& db1, const Progress& progress) {
  std::int64_t after = 0;
  std::int64_t count = 0;
  for (bool more = true; more;) {
    std::int64_t rows = 0;
    db1.query(kTips, {after, kChunk}, [&](const db::Row& row) {
      after = row.integer(0);
      ++rows;
      outcomes.addRow(
          {TraceId::fromBytes(row.text(1)),
           {row.integer(2), row.integer(3), row.integer(4),
            static_cast<std::int32_t>(row.integer(5)), static_cast<std::int32_t>(row.integer(6))},
           after});
    });
    more = rows == kChunk;
    count += rows;
    progress(count);
  }
}

}  // namespace tipflow::audit
