#include "load/verification.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kSecond = 1'000'000;

class VerificationTest : public testing::Test {
 protected:
  VerificationTest()
      : record_(1'000'000),
        viewers_{{7, "", "X: seven\r\n", "", {}}, {8, "", "X: eight\r\n", "", {}}} {}

  void acknowledge(std::uint64_t id, std::int32_t amountFen, std::uint32_t viewer,
                   bool doubtful = false) {
    record_.add(
        {.traceId = {1, id}, .amountFen = amountFen, .viewer = viewer, .doubtful = doubtful});
  }
  static std::string tip(std::uint64_t id, int amountFen, int viewerId) {
    return R"({"tipId":5,"traceId":")" + TraceId{1, id}.hex() + R"(","viewerId":)" +
           std::to_string(viewerId) + R"(,"amount":)" + std::to_string(amountFen) + "}";
  }
  static Ticket send(Verification& check, MonotonicUs now, std::string* request = nullptr) {
    std::string out;
    const auto ticket = check.next(now, out);
    EXPECT_TRUE(ticket);
    if (request != nullptr) *request = out;
    return ticket.value_or(0);
  }

  Record record_;
  std::vector<Viewer> viewers_;
};

TEST_F(VerificationTest, asks_for_each_tip_with_its_viewers_token) {
  acknowledge(1, 500, 0);
  acknowledge(2, 900, 1);
  Verification check(record_, viewers_, 0);
  std::string request;
  const auto first = send(check, 0, &request);
  EXPECT_EQ(request,
            "GET /api/v1/tips/00000000000000010000000000000001 HTTP/1.1\r\nX: seven\r\n\r\n");
  const auto second = send(check, 0, &request);
  EXPECT_NE(request.find("X: eight\r\n"), std::string::npos);
  check.answered(second, {.status = 200, .body = tip(2, 900, 8)}, 1);
  check.answered(first, {.status = 200, .body = tip(1, 500, 7)}, 1);
  EXPECT_TRUE(check.done(1));
  EXPECT_EQ(check.findings().there, 2U);
}

TEST_F(VerificationTest, finds_what_is_different) {
  for (std::uint64_t id = 1; id <= 3; ++id) acknowledge(id, 500, 0);
  Verification check(record_, viewers_, 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(1, 501, 7)}, 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(2, 500, 8)}, 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(9, 500, 7)}, 0);
  EXPECT_EQ(check.findings().different, 3U);
  EXPECT_EQ(check.findings().examples.size(), 3U);
}

TEST_F(VerificationTest, looks_several_times_before_it_calls_a_tip_missing) {
  acknowledge(1, 500, 0);
  acknowledge(2, 500, 0, true);
  Verification check(record_, viewers_, 0);
  MonotonicUs now = 0;
  int looks = 0;
  for (; !check.done(now); now += kSecond) {
    std::string out;
    while (const auto ticket = check.next(now, out)) {
      check.answered(*ticket, {.status = 404, .body = R"({"code":"tip_not_found"})"}, now);
      ++looks;
    }
  }
  EXPECT_GT(looks, 4);
  EXPECT_EQ(check.findings().missing, 1U);
  EXPECT_EQ(check.findings().doubtfulAbsent, 1U);
}

TEST_F(VerificationTest, asks_again_after_refusals_errors_and_broken_connections) {
  acknowledge(1, 500, 0);
  Verification check(record_, viewers_, 0);
  check.answered(send(check, 0), {.status = 503, .retryAfterSeconds = 1}, 0);
  check.answered(send(check, kSecond), {.status = 500}, kSecond);
  check.lost(send(check, 2 * kSecond), Loss::broken, 2 * kSecond);
  check.answered(send(check, 3 * kSecond), {.status = 200, .body = tip(1, 500, 7)}, 3 * kSecond);
  EXPECT_TRUE(check.done(3 * kSecond));
  EXPECT_EQ(check.findings().there, 1U);
}

TEST_F(VerificationTest, admits_what_it_could_not_check) {
  acknowledge(1, 500, 0);
  acknowledge(2, 500, 0);
  Verification check(record_, viewers_, 0);
  check.answered(send(check, 0), {.status = 401, .body = R"({"code":"unauthenticated"})"}, 0);
  check.lost(send(check, 0), Loss::timedOut, 0);
  EXPECT_FALSE(check.done(kSecond));
  EXPECT_TRUE(check.done(100 * kSecond));
  EXPECT_EQ(check.findings().unchecked, 2U);
  EXPECT_EQ(check.findings().there, 0U);
}

TEST(Record, keeps_the_newest_and_knows_how_many_there_were) {
  Record record(100'000);
  for (std::uint64_t i = 0; i < 500'000; ++i) {
    record.add({.traceId = {0, i}, .amountFen = 1, .viewer = 2, .doubtful = false});
  }
  EXPECT_EQ(record.added(), 500'000U);
  EXPECT_GE(record.size(), 100'000U);
  EXPECT_LT(record.size(), 200'000U);
  EXPECT_EQ(record.at(record.size() - 1).traceId.low, 499'999U);
  EXPECT_EQ(record.at(0).traceId.low, 500'000U - record.size());
}

TEST(Record, of_nothing_keeps_nothing) {
  Record record(0);
  record.add({.traceId = {0, 1}});
  EXPECT_EQ(record.size(), 0U);
  EXPECT_EQ(record.added(), 1U);
}

}  // namespace
}  // namespace tipflow::load
