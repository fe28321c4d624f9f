#include "platform/security/key_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "platform/security/crypto.h"

namespace tipflow {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
const std::string kA(64, 'a');

struct KeySourceTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  KeySourceTest() {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
  }
  ~KeySourceTest() override { std::filesystem::remove_all(directory); }

  void write(const std::string& text) const { std::ofstream(file) << text; }
  void rotate() const {
    changeKeyFile(KeyKind::data, file,
                  [](KeyList& keys) { keys.insert(keys.begin(), newKey(KeyKind::data, kNow)); });
  }

  std::string directory =
      testing::TempDir() + "tipflow_key_source_test_" + std::to_string(getpid());
  std::string file = keyFile(KeyKind::data, directory);
  KeySource source{KeyKind::data, {}, file};
};

TEST_F(KeySourceTest, of_a_setting_has_its_keys_and_makes_no_file) {
  KeySource fixed(KeyKind::data, "a:" + kA, file);
  fixed.makeIfAbsent(kNow);
  EXPECT_EQ(fixed.keys()->front().id, "a");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(KeySourceTest, says_which_setting_or_file_cannot_be_used) {
  const auto fault = [](const auto& use) {
    try {
      use();
      return std::string("none");
    } catch (const KeyError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_TRUE(fault([&] {
                KeySource(KeyKind::data, "nonsense", file);
              }).starts_with("security.data_keys: key 1"));
  EXPECT_TRUE(fault([&] {
                KeySource(KeyKind::token, "nonsense", file);
              }).starts_with("security.token_key: key 1"));
  EXPECT_TRUE(fault([&] { (void)source.keys(); }).starts_with("cannot read " + file));
  write("nonsense\n");
  EXPECT_TRUE(fault([&] { (void)source.keys(); }).starts_with(file + ": line 1"));
}

TEST_F(KeySourceTest, makes_a_first_key_that_only_its_owner_may_read_and_keeps_it) {
  source.makeIfAbsent(kNow);
  const auto made = source.keys();
  ASSERT_EQ(made->size(), 1U);
  EXPECT_EQ(made->front().madeAt, kNow);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms::owner_read | perms::owner_write);

  KeySource later(KeyKind::data, {}, file);
  later.makeIfAbsent(kNow + Duration{kUsPerHour});
  EXPECT_EQ(later.keys()->front().secret.bytes(), made->front().secret.bytes());
}

TEST_F(KeySourceTest, sees_a_changed_file_at_the_next_look) {
  source.makeIfAbsent(kNow);
  const auto before = source.keys();
  EXPECT_EQ(source.keys(), before) << "the same list while nothing changes";
  rotate();
  const auto after = source.keys();
  ASSERT_EQ(after->size(), 2U);
  EXPECT_EQ((*after)[1].id, before->front().id);
  EXPECT_NE((*after)[0].id, before->front().id);
}

TEST_F(KeySourceTest, keeps_the_keys_it_has_while_the_file_cannot_be_used) {
  source.makeIfAbsent(kNow);
  const auto good = source.keys();
  const auto text = formatKeyFile(KeyKind::data, *good);
  for (const auto* bad : {"", "half a li"}) {
    write(bad);
    EXPECT_EQ(source.keys(), good);
  }
  std::filesystem::remove(file);
  EXPECT_EQ(source.keys(), good);
  write(text);
  rotate();
  EXPECT_EQ(source.keys()->size(), 2U);
}

TEST_F(KeySourceTest, a_change_that_is_refused_leaves_the_file_as_it_is) {
  source.makeIfAbsent(kNow);
  const auto before = source.keys();
  EXPECT_THROW(changeKeyFile(KeyKind::data, file,
                             [](KeyList& keys) {
                               keys.clear();
                               throw KeyError("no");
                             }),
               KeyError);
  EXPECT_EQ(source.keys(), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

TEST_F(KeySourceTest, changes_at_the_same_time_lose_none) {
  source.makeIfAbsent(kNow);
  constexpr int kThreads = 8;
  constexpr int kTimes = 10;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([this] {
        for (int time = 0; time < kTimes; ++time) {
          rotate();
          ASSERT_GE(source.keys()->size(), 2U);
        }
      });
    }
  }
  EXPECT_EQ(source.keys()->size(), 1U + kThreads * kTimes);
}

}  // namespace
}  // namespace tipflow
