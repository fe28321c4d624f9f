// The operators' log on both databases: everything that was kept comes back, newest first, narrowed
// as asked, page by page without a hole.
#include <gmock/gmock.h>

#include "platform/http/operator_log.h"
#include "store/database.h"

namespace tipflow::http {
namespace {

using operator_store::add;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kAt{1'770'000'000'123'456};
constexpr OperatorActionPlace kNewest{Time{kIdEnd}, kIdEnd};

OperatorAction action(const std::string& what, Time at, std::int64_t by = 1) {
  OperatorAction made;
  made.at = at;
  made.operatorId = by;
  made.operatorName = "管理员";
  made.action = what;
  made.object = "/api/v1/viewers/7";
  made.before = JsonText{R"({"state":"active"})"};
  made.address = "2001:db8::1";
  made.traceId = TraceId::parse("0123456789abcdef0123456789abcdef").value();
  made.outcome = "done";
  return made;
}

class OperatorLogStore : public testing::TestWithParam<std::pair<fixture::Engine, const char*>> {
 public:
  fixture::TestDatabase database{GetParam().first, GetParam().second};
  std::unique_ptr<db::Connection> connection = database.connect();

  std::vector<std::string> newest(const OperatorActionFilter& filter,
                                  const OperatorActionPlace& before = kNewest, int limit = 100) {
    std::vector<std::string> found;
    for (const auto& each : operator_store::newest(*connection, filter, before, limit)) {
      found.push_back(each.action);
    }
    return found;
  }
};

TEST_P(OperatorLogStore, gives_back_what_it_was_given) {
  add(*connection, action("POST /x", kAt));
  const auto found = operator_store::newest(*connection, {}, kNewest, 10);
  ASSERT_EQ(found.size(), 1U);
  const auto& kept = found.front();
  EXPECT_EQ(kept.at, kAt);
  EXPECT_EQ(kept.operatorId, 1);
  EXPECT_EQ(kept.operatorName, "管理员");
  EXPECT_EQ(kept.action, "POST /x");
  EXPECT_EQ(kept.object, "/api/v1/viewers/7");
  EXPECT_EQ(kept.before.value().text, R"({"state":"active"})");
  EXPECT_FALSE(kept.after.has_value());
  EXPECT_EQ(kept.address, "2001:db8::1");
  EXPECT_EQ(kept.traceId.hex(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(kept.outcome, "done");
}

TEST_P(OperatorLogStore, finds_by_operator_part_of_the_action_and_time) {
  const Duration minute{60 * kUsPerSecond};
  add(*connection, action("POST /share-rates", kAt, 1));
  add(*connection, action("PATCH /rooms/{id}", kAt + minute, 2));
  add(*connection, action("POST /viewers/{id}/disable", kAt + minute + minute, 1));
  EXPECT_THAT(newest({}),
              ElementsAre("POST /viewers/{id}/disable", "PATCH /rooms/{id}", "POST /share-rates"));
  EXPECT_THAT(newest({1, {}, {}, {}}),
              ElementsAre("POST /viewers/{id}/disable", "POST /share-rates"));
  EXPECT_THAT(newest({{}, "rooms/", {}, {}}), ElementsAre("PATCH /rooms/{id}"));
  EXPECT_THAT(newest({{}, "%", {}, {}}), IsEmpty());
  EXPECT_THAT(newest({{}, {}, kAt + minute, kAt + minute + minute}),
              ElementsAre("PATCH /rooms/{id}"));
}

TEST_P(OperatorLogStore, goes_on_behind_a_place_also_among_equal_instants) {
  for (int i = 0; i < 7; ++i) add(*connection, action("a" + std::to_string(i), kAt));
  std::vector<std::string> all;
  OperatorActionPlace place = kNewest;
  while (true) {
    const auto page = operator_store::newest(*connection, {}, place, 3);
    if (page.empty()) break;
    for (const auto& each : page) all.push_back(each.action);
    place = {page.back().at, page.back().id};
  }
  EXPECT_THAT(all, ElementsAre("a6", "a5", "a4", "a3", "a2", "a1", "a0"));
}

INSTANTIATE_TEST_SUITE_P(, OperatorLogStore,
                         testing::Values(std::pair{fixture::Engine::SQLite, "db1"},
                                         std::pair{fixture::Engine::SQLite, "db2"},
                                         std::pair{fixture::Engine::MariaDB, "db1"},
                                         std::pair{fixture::Engine::MariaDB, "db2"}),
                         [](const auto& each) {
                           return (each.param.first == fixture::Engine::SQLite ? "SQLite_"
                                                                               : "MariaDB_") +
                                  std::string(each.param.second);
                         });

}  // namespace
}  // namespace tipflow::http
