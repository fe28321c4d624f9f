#include "load/tip_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "platform/security/crypto.h"

namespace tipflow::load {
namespace {

constexpr MonotonicUs kMs = 1'000;
constexpr MonotonicUs kSecond = 1'000'000;
constexpr std::string_view kConflict = R"({"status":422,"code":"trace_id_conflict"})";
constexpr std::string_view kNotLive = R"({"status":409,"code":"room_not_live"})";
constexpr std::string_view kNoToken = R"({"status":401,"code":"unauthenticated"})";

class TipStreamTest : public testing::Test {
 protected:
  void SetUp() override { crypto::initialise(); }

  // One tip a second for `seconds`, from one viewer in one room.
  TipStream stream(double seconds, double duplicates = 0, const std::string& viewerName = "v") {
    Population people;
    people.rooms = {{1012}};
    people.viewers = {sender(PrincipalKind::viewer, 9, viewerName, "old-token")};
    return {plan(seconds, duplicates), std::move(people), clock_, ids_};
  }
  // One batch of `tips` a second, by an operator for viewer 9.
  TipStream batches(double seconds, std::uint32_t tips) {
    Population people;
    people.rooms = {{1012}};
    people.viewers = {sender(PrincipalKind::viewer, 9, "", "old-token")};
    people.operator_ = sender(PrincipalKind::operator_, 1, "admin", "operator-token");
    auto inBatches = plan(seconds, 0);
    inBatches.batch = tips;
    inBatches.inBatches = true;
    return {std::move(inBatches), std::move(people), clock_, ids_};
  }
  static TipPlan plan(double seconds, double duplicates) {
    return {.url = {"n", 80},
            .pace = {.perSecond = 1, .endUs = static_cast<MonotonicUs>(seconds * 1e6)},
            .duplicates = duplicates,
            .passwords = {"correct horse", "battery staple"},
            .recordMost = 1'000};
  }
  [[nodiscard]] Sender sender(PrincipalKind kind, std::int64_t id, const std::string& name,
                              const std::string& token) const {
    return makeSender({"n", 80}, kind, name,
                      {id, token, std::string(32, 'k'), clock_.now() + Duration{12 * kUsPerHour}});
  }
  // The answer to the batch that was sent, its k-th result having the k-th of `outcomes`.
  [[nodiscard]] std::string batchAnswer(const std::vector<std::string>& outcomes) const {
    std::string text = R"({"results":[)";
    std::string_view rest = body();
    for (const auto& outcome : outcomes) {
      const auto id = std::string(textMember(rest, "traceId").value_or("none"));
      rest.remove_prefix(rest.find('}') + 1);
      const bool fine = outcome == "created" || outcome == "exists";
      text += R"({"traceId":")" + id + R"(","status":")" + (fine ? outcome : "rejected") +
              R"(","tipId":)" + (fine ? "77" : "null") + R"(,"code":)" +
              (fine ? "null" : "\"" + outcome + "\"") + "},";
    }
    text.back() = ']';
    return text + "}";
  }

  // The next request, which must be there, and its ticket.
  Ticket send(TipStream& stream, MonotonicUs now) {
    request_.clear();
    const auto ticket = stream.next(now, request_);
    EXPECT_TRUE(ticket) << now;
    return ticket.value_or(0);
  }
  [[nodiscard]] std::string traceId() const {
    return std::string(textMember(body(), "traceId").value_or("none"));
  }
  [[nodiscard]] std::string_view body() const {
    return std::string_view(request_).substr(request_.find("\r\n\r\n") + 4);
  }
  static Tally tallyOf(TipStream& stream) {
    Tally tally;
    stream.take(tally);
    return tally;
  }
  static bool idle(TipStream& stream, MonotonicUs now) {
    std::string out;
    return !stream.next(now, out);
  }

  ManualClock clock_{Time{1'773'489'600'000'000}};
  SeededRandom ids_{1};
  std::string request_;
};

TEST_F(TipStreamTest, sends_a_signed_tip_when_it_is_due_and_counts_its_answer) {
  auto tips = stream(1);
  const auto ticket = send(tips, 0);
  EXPECT_TRUE(request_.starts_with("POST /api/v1/tips HTTP/1.1\r\nHost: n:80\r\n"));
  EXPECT_NE(request_.find("Authorization: Bearer old-token\r\n"), std::string::npos);
  EXPECT_NE(request_.find("X-Tipflow-Timestamp: 1773489600000\r\n"), std::string::npos);
  EXPECT_NE(request_.find("X-Tipflow-Signature: v1="), std::string::npos);
  EXPECT_EQ(integerMember(body(), "roomId"), 1012);
  EXPECT_TRUE(idle(tips, 10 * kMs));
  EXPECT_FALSE(tips.done(10 * kMs));

  tips.answered(ticket, {.status = 201}, 12 * kMs);
  EXPECT_TRUE(tips.done(kSecond));
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.sent, 1U);
  EXPECT_EQ(tally.created, 1U);
  EXPECT_EQ(tally.measured, 1U);
  EXPECT_EQ(tally.latency.max(), Histogram::Value{12 * kMs});
  ASSERT_EQ(tips.record().size(), 1U);
  EXPECT_EQ(tips.record().at(0).traceId.hex(), traceId());
  EXPECT_EQ(tips.record().at(0).amountFen, integerMember(body(), "amount"));
}

TEST_F(TipStreamTest, measures_from_the_intended_start_although_it_had_to_wait) {
  auto tips = stream(1);
  const auto ticket = send(tips, 400 * kMs);
  tips.answered(ticket, {.status = 201}, 401 * kMs);
  EXPECT_EQ(tallyOf(tips).latency.max(), Histogram::Value{401 * kMs});
}

TEST_F(TipStreamTest, asks_with_the_same_trace_id_until_an_unknown_outcome_is_known) {
  auto tips = stream(1);
  auto ticket = send(tips, 0);
  const auto first = traceId();
  const std::string content(body());
  tips.lost(ticket, Loss::broken, 1 * kMs);
  EXPECT_TRUE(idle(tips, 2 * kMs));

  ticket = send(tips, 100 * kMs);
  EXPECT_EQ(body(), content);
  tips.lost(ticket, Loss::timedOut, 10 * kSecond);
  ticket = send(tips, 11 * kSecond);
  EXPECT_EQ(traceId(), first);
  tips.answered(ticket, {.status = 500}, 12 * kSecond);
  ticket = send(tips, 15 * kSecond);
  EXPECT_EQ(traceId(), first);
  EXPECT_FALSE(tips.done(15 * kSecond));
  tips.answered(ticket, {.status = 200}, 15 * kSecond);

  EXPECT_TRUE(tips.done(15 * kSecond));
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.exists, 1U);
  EXPECT_EQ(tally.resolved, 1U);
  EXPECT_EQ(tally.broken + tally.timedOut + tally.serverErrors, 3U);
  EXPECT_EQ(tally.unknown, 0U);
  EXPECT_EQ(tips.record().size(), 1U);
}

TEST_F(TipStreamTest, sends_again_at_once_what_met_a_connection_that_was_closed_idle) {
  auto tips = stream(1);
  const auto ticket = send(tips, 0);
  const auto first = traceId();
  tips.lost(ticket, Loss::stale, 1 * kMs);
  tips.answered(send(tips, 1 * kMs), {.status = 201}, 2 * kMs);
  EXPECT_EQ(traceId(), first);
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.stale, 1U);
  EXPECT_EQ(tally.errors(), 0U);
  EXPECT_EQ(tally.created, 1U);
}

TEST_F(TipStreamTest, gives_a_refused_tip_up_after_a_while_as_not_written) {
  auto tips = stream(1);
  MonotonicUs now = 0;
  for (int i = 0; i < 12 && !tips.done(now); ++i, now += kSecond) {
    tips.answered(send(tips, now), {.status = 503, .retryAfterSeconds = 1}, now);
  }
  EXPECT_TRUE(tips.done(now));
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.unavailable, 1U);
  EXPECT_EQ(tally.unknown, 0U);
  EXPECT_GE(tally.refusals, 10U);
  EXPECT_EQ(tips.record().size(), 0U);
}

TEST_F(TipStreamTest, never_takes_a_refusal_for_an_answer_after_an_unknown_outcome) {
  auto tips = stream(1);
  tips.lost(send(tips, 0), Loss::broken, 0);
  MonotonicUs now = kSecond;
  for (int i = 0; i < 20; ++i, now += kSecond) {
    tips.answered(send(tips, now), {.status = 503, .retryAfterSeconds = 1}, now);
    EXPECT_FALSE(tips.done(now));
  }
  tips.answered(send(tips, now), {.status = 201}, now);
  EXPECT_TRUE(tips.done(now));
  EXPECT_EQ(tallyOf(tips).created, 1U);
}

TEST_F(TipStreamTest, admits_what_it_could_not_find_out) {
  auto tips = stream(1);
  MonotonicUs now = 0;
  for (; !tips.done(now) && now < 200 * kSecond; now += kSecond) {
    std::string out;
    if (const auto ticket = tips.next(now, out)) tips.lost(*ticket, Loss::broken, now);
  }
  EXPECT_LT(now, 100 * kSecond);
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.unknown, 1U);
  EXPECT_EQ(tally.unavailable, 0U);
  EXPECT_EQ(tips.doubtful().size(), 1U) << "it is looked up at the end";
  EXPECT_EQ(tips.open(), 0U);
}

TEST_F(TipStreamTest, tells_a_conflict_from_a_rejection) {
  auto tips = stream(2);
  tips.answered(send(tips, 0), {.status = 422, .body = kConflict}, 0);
  tips.answered(send(tips, kSecond), {.status = 409, .body = kNotLive}, kSecond);
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.conflicts, 1U);
  EXPECT_EQ(tally.rejected, 1U);
  EXPECT_EQ(tally.doubtful, 0U);
  EXPECT_EQ(tally.rejections, (std::map<std::string, std::uint64_t>{{"409 room_not_live", 1}}));
  EXPECT_EQ(tally.latency.count(), 0U);
}

TEST_F(TipStreamTest, keeps_a_rejection_after_an_unknown_outcome_to_be_looked_up) {
  auto tips = stream(1);
  tips.lost(send(tips, 0), Loss::broken, 0);
  tips.answered(send(tips, kSecond), {.status = 409, .body = kNotLive}, kSecond);
  EXPECT_EQ(tallyOf(tips).doubtful, 1U);
  EXPECT_EQ(tips.record().size(), 0U);
  ASSERT_EQ(tips.doubtful().size(), 1U);
  EXPECT_EQ(tips.doubtful()[0].traceId.hex(), traceId());
}

TEST_F(TipStreamTest, repeats_tips_with_the_same_trace_id_and_content_at_once) {
  auto tips = stream(1, 1.0);
  const auto original = send(tips, 0);
  const std::string content(body());
  const auto repeat = send(tips, 0);
  EXPECT_EQ(body(), content);
  EXPECT_NE(original, repeat);
  tips.answered(repeat, {.status = 201}, 1);
  tips.answered(original, {.status = 200}, 2);
  EXPECT_TRUE(tips.done(kSecond));
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.created, 1U);
  EXPECT_EQ(tally.exists, 1U);
  EXPECT_EQ(tally.measured, 2U);
  EXPECT_EQ(tally.measuredRepeats, 1U);
  EXPECT_EQ(tips.record().size(), 1U);
}

TEST_F(TipStreamTest, counts_a_tip_once_whichever_sending_of_it_was_acknowledged) {
  for (const bool firstIsRefused : {false, true}) {
    auto tips = stream(1, 1.0);
    const auto original = send(tips, 0);
    const auto amount = integerMember(body(), "amount").value_or(0);
    const auto repeat = send(tips, 0);
    tips.answered(original, {.status = firstIsRefused ? 409 : 201, .body = kNotLive}, 1);
    tips.answered(repeat, {.status = firstIsRefused ? 201 : 409, .body = kNotLive}, 2);
    EXPECT_EQ(tips.record().size(), 1U);
    EXPECT_EQ(tips.roomSums()[0], (Sums{1, amount}));
  }
}

TEST_F(TipStreamTest, leaves_a_tip_in_doubt_only_when_neither_sending_was_acknowledged) {
  for (const int last : {201, 409}) {
    auto tips = stream(1, 1.0);
    const auto original = send(tips, 0);
    const auto repeat = send(tips, 0);
    tips.lost(original, Loss::broken, 1);
    tips.answered(send(tips, kSecond), {.status = 409, .body = kNotLive}, kSecond);
    tips.answered(repeat, {.status = last, .body = kNotLive}, kSecond);
    EXPECT_EQ(tips.doubtful().size(), last == 201 ? 0U : 1U);
    EXPECT_EQ(tips.record().size(), last == 201 ? 1U : 0U);
  }
}

TEST_F(TipStreamTest, repeats_tips_later_when_asked_to) {
  auto later = plan(1, 1.0);
  later.duplicatesWithinUs = 10 * kSecond;
  Population people;
  people.rooms = {{1012}};
  people.viewers = {sender(PrincipalKind::viewer, 9, "v", "t")};
  TipStream tips(later, std::move(people), clock_, ids_);
  tips.answered(send(tips, 0), {.status = 201}, 1);
  const auto first = traceId();
  EXPECT_TRUE(idle(tips, 1));
  EXPECT_FALSE(tips.done(kSecond));
  const auto due = tips.dueUs();
  EXPECT_LE(due, 10 * kSecond);
  tips.answered(send(tips, due), {.status = 200}, due + 5);
  EXPECT_EQ(traceId(), first);
  EXPECT_TRUE(tips.done(due + 5));
  EXPECT_EQ(tallyOf(tips).exists, 1U);
  EXPECT_EQ(tips.roomSums()[0].tips, 1U);
}

TEST_F(TipStreamTest, tells_what_a_request_took_from_what_its_tip_had_to_wait) {
  auto tips = stream(1);
  tips.answered(send(tips, 400 * kMs), {.status = 201}, 403 * kMs);
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.latency.max(), Histogram::Value{403 * kMs});
  EXPECT_EQ(tally.service.max(), Histogram::Value{3 * kMs});
  EXPECT_EQ(tally.late, 1U);
}

TEST_F(TipStreamTest, ends_after_as_many_tips_as_were_asked_for) {
  auto three = plan(100, 0);
  three.tipsMost = 3;
  Population people;
  people.rooms = {{1012}};
  people.viewers = {sender(PrincipalKind::viewer, 9, "v", "t")};
  TipStream tips(three, std::move(people), clock_, ids_);
  for (MonotonicUs now = 0; now < 3 * kSecond; now += kSecond) {
    tips.answered(send(tips, now), {.status = 201}, now);
  }
  EXPECT_TRUE(idle(tips, 5 * kSecond));
  EXPECT_TRUE(tips.done(5 * kSecond));
  EXPECT_EQ(tallyOf(tips).created, 3U);
}

TEST_F(TipStreamTest, sends_a_batch_as_operator_and_counts_each_tip_of_it) {
  auto tips = batches(1, 3);
  const auto ticket = send(tips, 0);
  EXPECT_TRUE(request_.starts_with("POST /api/v1/tips/batch HTTP/1.1\r\n"));
  EXPECT_NE(request_.find("Bearer operator-token"), std::string::npos);
  EXPECT_EQ(integerMember(body(), "viewerId"), 9);
  const auto answer = batchAnswer({"created", "exists", "room_not_live"});
  tips.answered(ticket, {.status = 200, .body = answer}, 2 * kMs);
  EXPECT_TRUE(tips.done(kSecond));
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.sent, 1U);
  EXPECT_EQ(tally.created, 1U);
  EXPECT_EQ(tally.exists, 1U);
  EXPECT_EQ(tally.rejected, 1U);
  EXPECT_EQ(tally.latency.count(), 2U);
  EXPECT_EQ(tips.record().size(), 2U);
}

TEST_F(TipStreamTest, sends_of_a_batch_again_only_what_is_still_unknown) {
  auto tips = batches(1, 3);
  auto ticket = send(tips, 0);
  const auto answer = batchAnswer({"created", "outcome_unknown", "unavailable"});
  tips.answered(ticket, {.status = 200, .body = answer}, kMs);
  EXPECT_FALSE(tips.done(kSecond));
  ticket = send(tips, kSecond);
  EXPECT_EQ(std::count(body().begin(), body().end(), '}'), 3) << body();  // two tips, one object
  const auto second = batchAnswer({"exists", "created"});
  tips.answered(ticket, {.status = 200, .body = second}, kSecond);
  EXPECT_TRUE(tips.done(kSecond));
  const auto tally = tallyOf(tips);
  EXPECT_EQ(tally.created, 2U);
  EXPECT_EQ(tally.exists, 1U);
  EXPECT_EQ(tally.resolved, 1U);
  EXPECT_EQ(tips.roomSums()[0].tips, 3U);
}

TEST_F(TipStreamTest, sends_a_whole_batch_again_after_a_broken_connection) {
  auto tips = batches(1, 2);
  tips.lost(send(tips, 0), Loss::broken, 0);
  const auto ids = traceId();
  const auto ticket = send(tips, kSecond);
  EXPECT_EQ(traceId(), ids);
  const auto answer = batchAnswer({"exists", "exists"});
  tips.answered(ticket, {.status = 200, .body = answer}, kSecond);
  EXPECT_TRUE(tips.done(kSecond));
  EXPECT_EQ(tallyOf(tips).resolved, 2U);
}

TEST_F(TipStreamTest, believes_no_answer_about_other_tips_than_it_asked_about) {
  auto tips = batches(1, 2);
  auto ticket = send(tips, 0);
  auto answer = batchAnswer({"created"});
  tips.answered(ticket, {.status = 200, .body = answer}, 0);
  EXPECT_EQ(tips.open(), 2U);
  EXPECT_EQ(tips.record().size(), 0U);
}

TEST_F(TipStreamTest, makes_other_ids_from_the_same_seed) {
  SeededRandom otherIds(2);
  auto tips = stream(1);
  send(tips, 0);
  const auto id = traceId();
  const auto amount = integerMember(body(), "amount");
  ids_ = SeededRandom(2);
  auto again = stream(1);
  send(again, 0);
  EXPECT_NE(traceId(), id);
  EXPECT_EQ(integerMember(body(), "amount"), amount);
}

constexpr std::string_view kLogin =
    R"({"token":"new-token","expiresAt":"2026-03-15T00:00:00.000Z",)"
    R"("signingKey":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","kind":"viewer","id":9})";

TEST_F(TipStreamTest, makes_ids_that_time_orders_unless_asked_for_random_ones) {
  const auto firstId = [this](bool random) {
    auto wanted = plan(1, 0);
    wanted.randomTraceIds = random;
    ids_ = SeededRandom(7);
    Population people;
    people.rooms = {{1012}};
    people.viewers = {sender(PrincipalKind::viewer, 9, "v", "old-token")};
    TipStream tips(std::move(wanted), std::move(people), clock_, ids_);
    send(tips, 0);
    return TraceId::parse(traceId()).value_or(TraceId{});
  };
  SeededRandom same(7);
  const TraceId random{same.bits(), same.bits()};
  EXPECT_EQ(firstId(true), random);
  EXPECT_EQ(firstId(false).high >> 16U, TraceId::make(clock_.now(), same).high >> 16U);
}

TEST_F(TipStreamTest, logs_a_registered_viewer_in_again_when_the_token_is_dead) {
  auto tips = stream(2);
  tips.answered(send(tips, 0), {.status = 401, .body = kNoToken}, 0);
  const auto login = send(tips, kSecond);
  EXPECT_TRUE(request_.starts_with("POST /api/v1/auth/login ")) << request_;
  EXPECT_EQ(textMember(body(), "password"), "correct horse");
  tips.answered(login, {.status = 200, .body = kLogin}, kSecond);
  const auto again = send(tips, kSecond);
  EXPECT_NE(request_.find("Authorization: Bearer new-token\r\n"), std::string::npos);
  tips.answered(again, {.status = 201}, kSecond);
  EXPECT_EQ(tallyOf(tips).created, 1U);
}

TEST_F(TipStreamTest, replaces_a_guest_before_the_token_ends_and_keeps_the_old_one_for_the_check) {
  auto tips = stream(2, 0, "");
  tips.answered(send(tips, 0), {.status = 201}, 0);
  clock_.advance(Duration{12 * kUsPerHour - 1'700 * kUsPerSecond});
  const auto renewal = send(tips, kSecond);
  EXPECT_TRUE(request_.starts_with("POST /api/v1/viewers/guests ")) << request_;
  const std::string guest = R"({"viewer":{"id":77},)" + std::string(kLogin.substr(1));
  tips.answered(renewal, {.status = 201, .body = guest}, kSecond);
  tips.answered(send(tips, kSecond), {.status = 201}, kSecond);
  EXPECT_NE(request_.find("Bearer new-token"), std::string::npos);
  ASSERT_EQ(tips.record().size(), 2U);
  EXPECT_EQ(tips.senders()[tips.record().at(0).viewer].id, 9);
  EXPECT_EQ(tips.senders()[tips.record().at(1).viewer].id, 77);
}

TEST_F(TipStreamTest, stopped_starts_nothing_more_but_waits_for_what_is_open) {
  auto tips = stream(100);
  const auto ticket = send(tips, 0);
  tips.stop();
  EXPECT_FALSE(tips.done(2'500 * kMs));
  EXPECT_TRUE(idle(tips, 3 * kSecond));
  tips.answered(ticket, {.status = 201}, 3 * kSecond);
  EXPECT_TRUE(tips.done(3 * kSecond));
  EXPECT_EQ(tallyOf(tips).dropped, 2U);  // intended at 1 s and 2 s
}

}  // namespace
}  // namespace tipflow::load
