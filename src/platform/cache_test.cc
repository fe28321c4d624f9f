#include "platform/cache.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "base/random.h"

namespace tipflow {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kMinute{60 * kUsPerSecond};

using Fields = std::map<std::string, std::string>;

/// A cache as code that need not wait for it sees it.
struct Direct {
  Cache& cache;
  std::optional<std::string> get(const std::string& key) {
    return drogon::sync_wait(cache.get(key));
  }
  void set(const std::string& key, const std::string& value, Duration lifetime) {
    drogon::sync_wait(cache.set(key, value, lifetime));
  }
  bool setIfAbsent(const std::string& key, const std::string& value, Duration lifetime) {
    return drogon::sync_wait(cache.setIfAbsent(key, value, lifetime));
  }
  void remove(const std::string& key) { drogon::sync_wait(cache.remove(key)); }
  void setField(const std::string& key, const std::string& field, const std::string& value,
                Duration lifetime) {
    drogon::sync_wait(cache.setField(key, field, value, lifetime));
  }
  Fields fields(const std::string& key) { return drogon::sync_wait(cache.fields(key)); }
  void addTo(const std::string& key, const std::map<std::string, std::int64_t>& amounts,
             Duration lifetime) {
    drogon::sync_wait(cache.addTo(key, amounts, lifetime));
  }
};

struct LocalCacheTest : testing::Test {
  ManualClock clock{kNow};
  LocalCache local{clock, 3};
  Direct cache{local};
};

TEST_F(LocalCacheTest, gives_back_what_was_set_until_it_is_removed) {
  EXPECT_FALSE(cache.get("a"));
  cache.set("a", "1", kMinute);
  EXPECT_EQ(cache.get("a"), "1");
  cache.set("a", "2", kMinute);
  EXPECT_EQ(cache.get("a"), "2");
  cache.remove("a");
  EXPECT_FALSE(cache.get("a"));
  cache.remove("a");
}

TEST_F(LocalCacheTest, an_entry_is_gone_at_the_instant_its_life_ends) {
  cache.set("a", "1", kMinute);
  clock.advance(kMinute - Duration{1});
  EXPECT_TRUE(cache.get("a"));
  clock.advance(Duration{1});
  EXPECT_FALSE(cache.get("a"));
}

TEST_F(LocalCacheTest, setting_again_starts_a_new_life_longer_or_shorter) {
  cache.set("a", "1", kMinute);
  clock.advance(kMinute / 2);
  cache.set("a", "2", kMinute);
  cache.set("b", "1", kMinute);
  cache.set("b", "2", kMinute / 4);
  clock.advance(kMinute / 2);
  EXPECT_EQ(cache.get("a"), "2");
  EXPECT_FALSE(cache.get("b"));
}

TEST_F(LocalCacheTest, a_key_is_taken_by_the_first_and_free_again_when_its_life_ends) {
  EXPECT_TRUE(cache.setIfAbsent("a", "1", kMinute));
  EXPECT_FALSE(cache.setIfAbsent("a", "2", kMinute));
  EXPECT_EQ(cache.get("a"), "1");
  clock.advance(kMinute - Duration{1});
  EXPECT_FALSE(cache.setIfAbsent("a", "2", kMinute)) << "a refusal must not shorten its life";
  clock.advance(Duration{1});
  EXPECT_TRUE(cache.setIfAbsent("a", "3", kMinute));
  EXPECT_EQ(cache.get("a"), "3");
  cache.remove("a");
  EXPECT_TRUE(cache.setIfAbsent("a", "4", kMinute));
}

TEST_F(LocalCacheTest, what_has_no_life_left_is_never_seen) {
  cache.set("a", "1", Duration{0});
  EXPECT_FALSE(cache.get("a"));
  cache.set("b", "1", Duration{-5});
  EXPECT_FALSE(cache.get("b"));
}

TEST_F(LocalCacheTest, full_gives_up_what_would_end_first) {
  cache.set("long", "1", kMinute * 3);
  cache.set("short", "1", kMinute);
  cache.set("middle", "1", kMinute * 2);
  cache.set("new", "1", kMinute * 2);
  EXPECT_FALSE(cache.get("short"));
  EXPECT_TRUE(cache.get("long"));
  EXPECT_TRUE(cache.get("middle"));
  EXPECT_TRUE(cache.get("new"));
}

TEST_F(LocalCacheTest, full_gives_up_nothing_for_a_key_that_it_holds_already) {
  for (const auto* key : {"a", "b", "c"}) cache.set(key, "1", kMinute);
  cache.set("b", "2", kMinute);
  EXPECT_EQ(cache.get("a"), "1");
  EXPECT_EQ(cache.get("b"), "2");
  EXPECT_EQ(cache.get("c"), "1");
}

TEST_F(LocalCacheTest, a_hash_holds_fields_until_its_last_lifetime_is_over) {
  EXPECT_EQ(cache.fields("board"), Fields{});
  cache.setField("board", "7", "seven", kMinute);
  clock.advance(kMinute / 2);
  cache.setField("board", "8", "eight", kMinute);
  clock.advance(kMinute - Duration{1});
  EXPECT_EQ(cache.fields("board"), (Fields{{"7", "seven"}, {"8", "eight"}}));
  clock.advance(Duration{1});
  EXPECT_EQ(cache.fields("board"), Fields{});
}

TEST_F(LocalCacheTest, amounts_are_added_up_and_what_has_no_sum_is_left_alone) {
  LocalCache roomy(clock, 100);
  Direct large{roomy};
  large.addTo("board", {{"7", 500}, {"8", -20}}, kMinute);
  large.addTo("board", {{"7", 25}}, kMinute);
  EXPECT_EQ(large.fields("board"), (Fields{{"7", "525"}, {"8", "-20"}}));

  large.setField("board", "name", "no number", kMinute);
  large.addTo("board", {{"name", 1}, {"7", std::numeric_limits<std::int64_t>::max()}}, kMinute);
  EXPECT_EQ(large.fields("board"), (Fields{{"7", "525"}, {"8", "-20"}, {"name", "no number"}}));
}

TEST_F(LocalCacheTest, a_text_is_no_hash_and_a_hash_no_text) {
  cache.set("text", "1", kMinute);
  cache.setField("text", "a", "1", kMinute);
  cache.addTo("text", {{"a", 1}}, kMinute);
  EXPECT_EQ(cache.fields("text"), Fields{});
  EXPECT_EQ(cache.get("text"), "1");
  cache.setField("hash", "a", "1", kMinute);
  EXPECT_FALSE(cache.get("hash"));
  EXPECT_FALSE(cache.setIfAbsent("hash", "1", kMinute));
  cache.set("hash", "1", kMinute);
  EXPECT_EQ(cache.get("hash"), "1");
}

TEST_F(LocalCacheTest, fields_count_towards_its_bound) {
  cache.set("a", "1", kMinute);
  cache.setField("hash", "1", "x", kMinute * 2);
  EXPECT_TRUE(cache.get("a"));
  cache.setField("hash", "2", "x", kMinute * 2);
  EXPECT_FALSE(cache.get("a")) << "three are a hash and two fields";
  for (int i = 0; i < 100; ++i) cache.setField("hash", std::to_string(i), "x", kMinute * 2);
  EXPECT_LE(cache.fields("hash").size(), 3U);
  cache.set("a", "1", kMinute);
  EXPECT_TRUE(cache.get("a"));
}

TEST_F(LocalCacheTest, behaves_as_a_map_with_deadlines_whatever_is_done_to_it) {
  struct Entry {
    std::string value;
    Time until;
  };
  SeededRandom random(3);
  LocalCache roomy(clock, 1'000);  // never full here: nothing may be lost before its time
  Direct large{roomy};
  std::map<std::string, Entry> model;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(random.below(50));
    const Duration life{static_cast<std::int64_t>(random.below(40))};
    const std::string value = std::to_string(i);
    std::erase_if(model, [&](const auto& e) { return e.second.until <= clock.now(); });
    switch (random.below(5)) {
      case 0:
        large.set(key, value, life);
        model[key] = {value, clock.now() + life};
        break;
      case 1:
        ASSERT_EQ(large.setIfAbsent(key, value, life), !model.contains(key));
        model.try_emplace(key, Entry{value, clock.now() + life});
        break;
      case 2:
        large.remove(key);
        model.erase(key);
        break;
      case 3:
        clock.advance(Duration{static_cast<std::int64_t>(random.below(10))});
        break;
      default:
        const auto found = model.find(key);
        ASSERT_EQ(large.get(key),
                  found == model.end() ? std::nullopt : std::optional(found->second.value));
    }
  }
}

}  // namespace
}  // namespace tipflow
