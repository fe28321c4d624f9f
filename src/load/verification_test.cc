#include "load/verification.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kSecond = 1'000'000;

class VerificationTest : public testing::Test {
 protected:
  VerificationTest()
      : record_(1'000'000),
        senders_{{.id = 7, .headers = "X: seven\r\n"}, {.id = 8, .headers = "X: eight\r\n"}} {}

  void acknowledge(std::uint64_t id, std::int32_t amountFen, std::uint32_t viewer) {
    record_.add({.traceId = {1, id}, .amountFen = amountFen, .viewer = viewer});
  }
  [[nodiscard]] LookUps everything() const {
    return {.record = record_, .doubtful = doubtful_, .senders = senders_};
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
  std::vector<Doubtful> doubtful_;
  std::vector<Sender> senders_;
};

TEST_F(VerificationTest, asks_for_each_tip_with_its_viewers_token) {
  acknowledge(1, 500, 0);
  acknowledge(2, 900, 1);
  Verification check(everything(), 0);
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
  Verification check(everything(), 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(1, 501, 7)}, 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(2, 500, 8)}, 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(9, 500, 7)}, 0);
  EXPECT_EQ(check.findings().different, 3U);
  EXPECT_EQ(check.findings().examples.size(), 3U);
}

TEST_F(VerificationTest, looks_several_times_before_it_calls_a_tip_missing) {
  acknowledge(1, 500, 0);
  doubtful_.push_back({.traceId = {1, 2}, .amountFen = 500});
  Verification check(everything(), 0);
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
  Verification check(everything(), 0);
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
  Verification check(everything(), 0);
  check.answered(send(check, 0), {.status = 401, .body = R"({"code":"unauthenticated"})"}, 0);
  check.lost(send(check, 0), Loss::timedOut, 0);
  EXPECT_FALSE(check.done(kSecond));
  EXPECT_TRUE(check.done(100 * kSecond));
  EXPECT_EQ(check.findings().unchecked, 2U);
  EXPECT_EQ(check.findings().there, 0U);
}

TEST_F(VerificationTest, finds_out_about_tips_in_doubt) {
  doubtful_.push_back({.traceId = {1, 5}, .amountFen = 700, .viewer = 1, .room = 3});
  Verification check(everything(), 0);
  check.answered(send(check, 0), {.status = 200, .body = tip(5, 700, 8)}, 0);
  EXPECT_TRUE(check.done(0));
  EXPECT_EQ(check.findings().doubtfulThere, 1U);
  ASSERT_EQ(check.findings().writtenAfterAll.size(), 1U);
  EXPECT_EQ(check.findings().writtenAfterAll[0].room, 3U);
}

TEST_F(VerificationTest, of_a_sample_asks_for_different_tips_of_the_whole_run) {
  for (std::uint64_t id = 0; id < 1'000; ++id) acknowledge(id, 500, 0);
  doubtful_.push_back({.traceId = {1, 5'000}, .amountFen = 500});
  auto sample = everything();
  sample.sampleMost = 10;
  Verification check(sample, 0);
  std::set<Ticket> asked;
  std::string out;
  while (const auto ticket = check.next(0, out)) asked.insert(*ticket);
  EXPECT_EQ(asked.size(), 11U);
  EXPECT_TRUE(asked.contains(1'000)) << "the one in doubt is always asked for";
  auto place = asked.begin();
  for (Ticket stretch = 0; stretch < 10; ++stretch, ++place) {
    EXPECT_EQ(*place / 100, stretch) << "one of each tenth";
  }
  EXPECT_EQ(check.findings().notSampled, 990U);
}

TEST_F(VerificationTest, asks_with_one_readers_token_when_there_is_one) {
  acknowledge(1, 500, 0);
  const Sender reader{.id = 99, .headers = "X: operator\r\n"};
  auto lookUps = everything();
  lookUps.reader = &reader;
  Verification check(lookUps, 0);
  std::string request;
  send(check, 0, &request);
  EXPECT_NE(request.find("X: operator\r\n"), std::string::npos);
}

TEST(Record, keeps_the_newest_and_knows_how_many_there_were) {
  Record record(100'000);
  for (std::uint64_t i = 0; i < 500'000; ++i) {
    record.add({.traceId = {0, i}, .amountFen = 1, .viewer = 2});
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
