#include "load/sum_check.h"

#include <gtest/gtest.h>

#include <string>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kSecond = 1'000'000;

class SumCheckTest : public testing::Test {
 protected:
  // Two rooms, of which 500 fen in one tip and 200 in another were acknowledged.
  static SumPlan plan() {
    return {.rooms = {{11, 1'000}, {12, 0}},
            .acknowledged = {{1, 500}, {1, 200}},
            .readerHeaders = "X: reader\r\n",
            .booksBefore = Sums{10, 9'000},
            .operatorHeaders = "X: operator\r\n"};
  }
  // Answers everything with what `revenues` and `books` say, until the check is done.
  static SumFindings run(std::int64_t first, std::int64_t second, const std::string& books) {
    SumCheck check(plan(), 0);
    for (MonotonicUs now = 0; !check.done(now); now += kSecond / 2) {
      std::string out;
      while (const auto ticket = check.next(now, out)) {
        const auto body = *ticket == 2 ? books
                                       : R"({"id":1,"revenue":)" +
                                             std::to_string(*ticket == 0 ? first : second) + "}";
        check.answered(*ticket, {.status = 200, .body = body}, now);
      }
    }
    return check.findings();
  }
  static std::string books(int count, int amount) {
    return R"({"tips":{"count":)" + std::to_string(count) + R"(,"amount":)" +
           std::to_string(amount) + "}}";
  }
};

TEST_F(SumCheckTest, finds_books_that_hold_exactly_what_was_acknowledged) {
  const auto found = run(1'500, 200, books(12, 9'700));
  EXPECT_EQ(found.rooms.outcome, SumOutcome::equal);
  EXPECT_EQ(found.rooms.held.amountFen, 700);
  ASSERT_TRUE(found.books);
  EXPECT_EQ(found.books->outcome, SumOutcome::equal);
  EXPECT_EQ(found.books->held, (Sums{2, 700}));
}

TEST_F(SumCheckTest, finds_a_single_lost_fen_and_names_its_room) {
  const auto found = run(1'500, 199, books(12, 9'699));
  EXPECT_EQ(found.rooms.outcome, SumOutcome::less);
  EXPECT_EQ(found.rooms.detail, "room 12: 199 fen of 200");
  EXPECT_EQ(found.books->outcome, SumOutcome::less);
}

TEST_F(SumCheckTest, is_not_taken_in_by_one_room_that_makes_up_for_another) {
  EXPECT_EQ(run(1'400, 300, books(12, 9'700)).rooms.outcome, SumOutcome::less);
}

TEST_F(SumCheckTest, tells_a_tip_that_was_counted_twice) {
  const auto found = run(2'000, 200, books(13, 10'200));
  EXPECT_EQ(found.rooms.outcome, SumOutcome::more);
  EXPECT_EQ(found.books->outcome, SumOutcome::more);
}

TEST_F(SumCheckTest, waits_for_counters_that_follow_later) {
  SumCheck check(plan(), 0);
  std::string out;
  while (const auto ticket = check.next(0, out)) {
    check.answered(
        *ticket, {.status = 200, .body = R"({"revenue":0,"tips":{"count":10,"amount":9000}})"}, 0);
  }
  EXPECT_FALSE(check.done(0));
  while (const auto ticket = check.next(kSecond, out)) {
    const std::string body = *ticket == 2   ? books(12, 9'700)
                             : *ticket == 1 ? R"({"revenue":200})"
                                            : R"({"revenue":1500})";
    check.answered(*ticket, {.status = 200, .body = body}, kSecond);
  }
  EXPECT_TRUE(check.done(kSecond));
  EXPECT_EQ(check.findings().rooms.outcome, SumOutcome::equal);
  EXPECT_EQ(check.findings().books->outcome, SumOutcome::equal);
}

TEST_F(SumCheckTest, says_so_when_the_node_does_not_tell) {
  auto silent = plan();
  silent.rooms[1].revenueBefore.reset();
  silent.booksBefore.reset();
  SumCheck check(silent, 0);
  std::string out;
  const auto ticket = check.next(0, out);
  ASSERT_TRUE(ticket);
  check.answered(*ticket, {.status = 404, .body = R"({"code":"room_not_found"})"}, 0);
  EXPECT_TRUE(check.done(0));
  EXPECT_EQ(check.findings().rooms.outcome, SumOutcome::unavailable);
  EXPECT_NE(check.findings().rooms.detail.find("room_not_found"), std::string::npos);
  EXPECT_FALSE(check.findings().books);
}

}  // namespace
}  // namespace tipflow::load
