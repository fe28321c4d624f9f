#include "load/preparation.h"

#include <gtest/gtest.h>

#include <string>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kSecond = 1'000'000;
constexpr std::string_view kSession =
    R"("token":"t-%","expiresAt":"2026-03-15T00:00:00.000Z",)"
    R"("signingKey":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")";

std::string session(int id) {
  return R"({"id":)" + std::to_string(id) + "," + std::string(kSession) + "}";
}

class PreparationTest : public testing::Test {
 protected:
  static PreparationPlan plan(int rooms, int registered, int guests) {
    return {.url = {"n", 80},
            .rooms = rooms,
            .registered = registered,
            .guests = guests,
            .password = "correct horse"};
  }
  // `POST /api/v1/anchors` of the next request.
  std::string send(Preparation& preparation, MonotonicUs now = 0) {
    request_.clear();
    const auto ticket = preparation.next(now, request_);
    if (!ticket) return "nothing";
    ticket_ = *ticket;
    return request_.substr(0, request_.find(" HTTP/1.1"));
  }

  std::string request_;
  Ticket ticket_ = 0;
};

TEST_F(PreparationTest, registers_logs_in_and_opens) {
  Preparation people(plan(1, 1, 1), 0);
  EXPECT_EQ(send(people), "POST /api/v1/anchors");
  EXPECT_NE(request_.find(R"("name":"sim-anchor-001","password":"correct horse")"),
            std::string::npos);
  people.answered(ticket_, {.status = 201, .body = R"({"id":12,"roomId":1012})"}, 0);
  EXPECT_EQ(send(people), "POST /api/v1/viewers");
  people.answered(ticket_, {.status = 201, .body = R"({"id":90417})"}, 0);
  EXPECT_EQ(send(people), "POST /api/v1/viewers/guests");
  people.answered(
      ticket_,
      {.status = 201, .body = R"({"viewer":)" + session(90518) + "," + std::string(kSession) + "}"},
      0);
  EXPECT_EQ(send(people), "POST /api/v1/auth/login");
  EXPECT_NE(request_.find(R"("kind":"anchor","name":"sim-anchor-001")"), std::string::npos);
  people.answered(ticket_, {.status = 200, .body = session(12)}, 0);
  EXPECT_EQ(send(people), "POST /api/v1/auth/login");
  EXPECT_NE(request_.find(R"("kind":"viewer","name":"sim-viewer-0001")"), std::string::npos);
  people.answered(ticket_, {.status = 200, .body = session(90417)}, 0);
  EXPECT_EQ(send(people), "POST /api/v1/rooms/1012/open");
  EXPECT_NE(request_.find("Authorization: Bearer t-%\r\n"), std::string::npos);
  EXPECT_FALSE(people.done(0));
  people.answered(ticket_, {.status = 200, .body = R"({"id":1012,"revenue":990})"}, 0);
  EXPECT_TRUE(people.done(0));
  EXPECT_EQ(people.failure(), "");

  const auto population = people.takePopulation();
  ASSERT_EQ(population.rooms.size(), 1U);
  EXPECT_EQ(population.rooms[0].id, 1012);
  EXPECT_EQ(population.rooms[0].revenueBefore, 990);
  ASSERT_EQ(population.viewers.size(), 2U);
  EXPECT_EQ(population.viewers[0].name, "sim-viewer-0001");
  EXPECT_EQ(population.viewers[1].id, 90518);
  EXPECT_EQ(population.viewers[1].name, "");
}

TEST_F(PreparationTest, uses_people_of_an_earlier_run_again) {
  Preparation people(plan(1, 0, 0), 0);
  send(people);
  people.answered(ticket_, {.status = 409, .body = R"({"code":"name_taken"})"}, 0);
  EXPECT_EQ(send(people), "POST /api/v1/auth/login");
  people.answered(ticket_, {.status = 200, .body = session(12)}, 0);
  EXPECT_EQ(send(people), "GET /api/v1/anchors/12");
  people.answered(ticket_, {.status = 200, .body = R"({"id":12,"roomId":1012})"}, 0);
  EXPECT_EQ(send(people), "POST /api/v1/rooms/1012/open");
}

TEST_F(PreparationTest, lets_the_operator_read_the_books_before_the_run) {
  auto withOperator = plan(0, 0, 1);
  withOperator.operatorName = "admin";
  withOperator.operatorPassword = "correct horse";
  withOperator.readBooks = true;
  Preparation people(withOperator, 0);
  EXPECT_EQ(send(people), "POST /api/v1/auth/login");
  EXPECT_NE(request_.find(R"("kind":"operator","name":"admin")"), std::string::npos);
  people.answered(ticket_, {.status = 200, .body = session(1)}, 0);
  send(people);
  people.answered(
      ticket_,
      {.status = 201, .body = R"({"viewer":)" + session(90518) + "," + std::string(kSession) + "}"},
      0);
  EXPECT_EQ(send(people), "GET /api/v1/finance/reconciliation");
  people.answered(ticket_, {.status = 200, .body = R"({"tips":{"count":7,"amount":4200}})"}, 0);
  EXPECT_TRUE(people.done(0));
  const auto population = people.takePopulation();
  EXPECT_EQ(population.booksBefore, (Sums{7, 4'200}));
  ASSERT_TRUE(population.operator_);
  EXPECT_EQ(population.operator_->kind, PrincipalKind::operator_);
}

TEST_F(PreparationTest, goes_on_without_an_operator_unless_one_is_needed) {
  for (const bool needed : {false, true}) {
    auto withOperator = plan(0, 0, 0);
    withOperator.operatorName = "admin";
    withOperator.operatorPassword = "not the password";
    withOperator.needsOperator = needed;
    Preparation people(withOperator, 0);
    send(people);
    people.answered(ticket_, {.status = 401, .body = R"({"code":"invalid_credentials"})"}, 0);
    EXPECT_TRUE(people.done(0));
    EXPECT_EQ(people.failure().empty(), !needed);
    if (!needed) {
      EXPECT_FALSE(people.takePopulation().operator_);
    }
  }
}

TEST_F(PreparationTest, leaves_banned_rooms_out) {
  Preparation people(plan(2, 0, 0), 0);
  for (const int id : {11, 12}) {
    send(people);
    people.answered(
        ticket_, {.status = 201, .body = R"({"id":1,"roomId":10)" + std::to_string(id) + "}"}, 0);
  }
  for (const int id : {11, 12}) {
    send(people);
    people.answered(ticket_, {.status = 200, .body = session(id)}, 0);
  }
  send(people);
  people.answered(ticket_, {.status = 409, .body = R"({"code":"room_banned"})"}, 0);
  send(people);
  people.answered(ticket_, {.status = 200, .body = "{}"}, 0);
  EXPECT_TRUE(people.done(0));
  EXPECT_EQ(people.failure(), "");
  EXPECT_EQ(people.bannedRooms(), 1U);
  EXPECT_EQ(people.takePopulation().rooms.size(), 1U);
}

TEST_F(PreparationTest, waits_when_the_node_is_busy) {
  Preparation people(plan(0, 0, 1), 0);
  send(people);
  people.answered(ticket_, {.status = 503, .retryAfterSeconds = 2}, 0);
  EXPECT_EQ(send(people, kSecond), "nothing");
  EXPECT_EQ(send(people, 2 * kSecond), "POST /api/v1/viewers/guests");
  people.lost(ticket_, Loss::broken, 2 * kSecond);
  EXPECT_EQ(send(people, 3 * kSecond), "POST /api/v1/viewers/guests");
}

TEST_F(PreparationTest, says_what_to_do_when_the_password_is_another) {
  Preparation people(plan(0, 1, 0), 0);
  send(people);
  people.answered(ticket_, {.status = 409}, 0);
  send(people);
  people.answered(ticket_, {.status = 401, .body = R"({"code":"invalid_credentials"})"}, 0);
  EXPECT_TRUE(people.done(0));
  EXPECT_NE(people.failure().find("--password"), std::string::npos);
}

TEST_F(PreparationTest, says_why_nothing_answers) {
  Preparation people(plan(0, 0, 1), 0);
  people.unreachable("Connection refused", 0);
  EXPECT_FALSE(people.done(5 * kSecond));
  EXPECT_TRUE(people.done(30 * kSecond));
  EXPECT_NE(people.failure().find("http://n:80 does not serve: Connection refused"),
            std::string::npos);
}

}  // namespace
}  // namespace tipflow::load
