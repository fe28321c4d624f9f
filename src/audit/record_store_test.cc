// A client's record as a file: read line by line, compared with the tips in a real database.
#include "audit/record.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "store/database.h"
#include "store/sound_books.h"

namespace tipflow::audit {
namespace {

using ::testing::HasSubstr;
using Broken = std::set<std::string>;

std::string line(const std::string& traceId, const std::string& rest) {
  return fmt::format(R"({{"traceId":"{}",{}}})", traceId, rest) + "\n";
}

/// What is said of a record that cannot be read.
std::string refusal(const std::string& text) {
  std::istringstream lines(text);
  try {
    readRecord(lines);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

class ClientRecord : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  /// One line for each tip that stands.
  std::string honest() const {
    std::string text;
    scene.c1->query(
        "SELECT tip_id, trace_id, viewer_id, room_id, amount, gift_id, gift_count FROM tip", {},
        [&](const db::Row& row) {
          text +=
              line(TraceId::fromBytes(row.text(1)).hex(),
                   fmt::format(R"("viewerId":{},"roomId":{},"amount":{},"giftId":{},"count":{},)"
                               R"("outcome":"created","tipId":{})",
                               row.integer(2), row.integer(3), row.integer(4), row.integer(5),
                               row.integer(6), row.integer(0)));
        });
    return text;
  }
  Broken broken(const std::string& text) {
    std::istringstream lines(text);
    auto outcomes = readRecord(lines);
    addRows(outcomes, *scene.c1, [](std::int64_t) {});
    Broken ids;
    for (const auto& finding : outcomes.findings()) {
      if (finding.faults != 0) ids.insert(finding.id);
    }
    return ids;
  }

  fixture::SoundBooks scene{GetParam()};
};
TIPFLOW_ON_BOTH(ClientRecord);

TEST_P(ClientRecord, agrees_with_a_database_that_holds_what_was_acknowledged) {
  EXPECT_EQ(broken(honest()), Broken{});
  EXPECT_EQ(broken(""), Broken{});
}

TEST_P(ClientRecord, misses_a_tip_that_was_deleted) {
  const auto text = honest();
  scene.c1->exec("DELETE FROM tip WHERE tip_id = ?", {scene.tipId(2, 7)});
  EXPECT_EQ(broken(text), Broken{"I1"});
}

TEST_P(ClientRecord, sees_each_field_that_was_changed_afterwards) {
  const auto text = honest();
  for (const char* field : {"viewer_id", "room_id", "amount", "gift_id", "gift_count"}) {
    const auto change = [&](const char* sign) {
      scene.c1->exec(fmt::format("UPDATE tip SET {0} = {0} {1} 1 WHERE tip_id = ?", field, sign),
                     {scene.tipId(1, 3)});
    };
    change("+");
    EXPECT_TRUE(broken(text).contains("I1")) << field;
    change("-");
  }
  EXPECT_EQ(broken(text), Broken{});
}

TEST_P(ClientRecord, sees_a_tip_that_was_told_to_be_unavailable) {
  auto text = honest();
  const auto place = text.find("created");
  text.replace(place, 7, "unavailable");
  EXPECT_EQ(broken(text), Broken{"I2"});
}

TEST_P(ClientRecord, sees_a_conflict_with_nothing) {
  EXPECT_EQ(broken(line("0192f3a4b5c67d8e00000000ffffffff",
                        R"("viewerId":1,"roomId":2,"amount":3,"outcome":"conflict")")),
            Broken{"I3"});
}

TEST_P(ClientRecord, reads_more_tips_than_it_holds_at_once) {
  scene.give(LaneId{1}, 50'000);
  auto text = honest();
  EXPECT_EQ(broken(text), Broken{});
  scene.c1->exec("DELETE FROM tip WHERE tip_id = ?", {scene.tipId(3, 5)});
  EXPECT_EQ(broken(text), Broken{"I1"}) << "a tip of the second chunk";
}

TEST(ClientRecordFile, takes_the_API_s_defaults_for_what_is_left_out) {
  std::istringstream lines(line("0192f3a4b5c67d8e0000000000000001",
                                R"("viewerId":1,"roomId":2,"amount":3,"outcome":"created")"));
  auto outcomes = readRecord(lines);
  outcomes.addRow({{0x0192f3a4b5c67d8e, 1}, {1, 2, 3, 0, 1}, 9});
  for (const auto& finding : outcomes.findings()) EXPECT_EQ(finding.faults, 0) << finding.id;
}

TEST(ClientRecordFile, names_the_line_and_the_field_at_fault) {
  const auto good = line("0192f3a4b5c67d8e0000000000000001",
                         R"("viewerId":1,"roomId":2,"amount":3,"outcome":"created")");
  EXPECT_EQ(refusal(good + "\n" + good), "nothing") << "empty lines are skipped";
  EXPECT_THAT(refusal(good + "{"), HasSubstr("line 2: "));
  EXPECT_THAT(refusal(good + good +
                      line("x", R"("viewerId":1,"roomId":2,"amount":3,)"
                                R"("outcome":"created")")),
              HasSubstr("line 3: traceId "));
  EXPECT_THAT(refusal(line("0192f3a4b5c67d8e0000000000000001",
                           R"("viewerId":1,"roomId":2,"amount":"3","outcome":"created")")),
              HasSubstr("line 1: amount "));
  EXPECT_THAT(refusal(line("0192f3a4b5c67d8e0000000000000001",
                           R"("viewerId":1,"roomId":2,"amount":3,"outcome":"done")")),
              HasSubstr("line 1: outcome must be one of: created, exists"));
}

}  // namespace
}  // namespace tipflow::audit
