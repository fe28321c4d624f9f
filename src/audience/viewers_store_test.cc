// The memory of viewers on both databases: what it holds is right again after messages were missed.
#include "audience/viewers.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "audience/viewer_store.h"
#include "store/database.h"

namespace tipflow::audience {
namespace {

/// A bus that delivers nothing by itself, and knows of gaps.
class BrokenBus final : public Bus {
 public:
  void publish(const std::string&, std::string_view) override {}
  void subscribe(const std::string&, Listener) override {}
  void onGap(Topics, std::function<void()> listener) override { gap_ = std::move(listener); }
  /// On a thread of its own, as buses do.
  void mend() {
    std::thread([this] { gap_(); }).join();
  }

 private:
  std::function<void()> gap_;
};

class MemoryOfViewers : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  ViewerId add() {
    return db::transact(*c, [&](db::Connection& t) { return store::insertViewer(t, {}); });
  }
  void disable(ViewerId id) {
    db::transact(*c,
                 [&](db::Connection& t) { return store::setState(t, id, ViewerState::disabled); });
  }
  /// Of a viewer that is at hand.
  std::optional<ViewerState> stateOf(ViewerId id) {
    const auto card = directory.known(id);
    return card ? std::optional(card->state) : std::nullopt;
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
  db::Database db1{"DB1", database.url(), {.threads = 2}};
  BrokenBus bus;
  ViewerDirectory directory{db1, bus};
};
TIPFLOW_ON_BOTH(MemoryOfViewers);

TEST_P(MemoryOfViewers, is_read_again_when_messages_were_missed_and_serves_until_then) {
  std::vector<ViewerId> ids;
  for (int i = 0; i < 1'200; ++i) {
    ids.push_back(add());
    (void)drogon::sync_wait(directory.card(ids.back()));
  }
  for (std::size_t i = 0; i < ids.size(); i += 3) disable(ids[i]);
  EXPECT_EQ(stateOf(ids.front()), ViewerState::active) << "it was told nothing";

  bus.mend();
  bus.mend();
  for (const auto id : ids) ASSERT_TRUE(directory.known(id)) << "those at hand serve all the while";
  EXPECT_TRUE(fixture::eventually([&] {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto expected = i % 3 == 0 ? ViewerState::disabled : ViewerState::active;
      if (stateOf(ids[i]) != expected) return false;
    }
    return true;
  }));
}

TEST_P(MemoryOfViewers, keeps_nothing_that_it_could_not_read_again) {
  const auto id = add();
  (void)drogon::sync_wait(directory.card(id));
  c->exec("ALTER TABLE viewer RENAME TO viewer_away");
  bus.mend();
  EXPECT_TRUE(fixture::eventually([&] { return !directory.known(id); }));
}

}  // namespace
}  // namespace tipflow::audience
