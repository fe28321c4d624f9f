// The archive of chat on both databases.
#include "anchor/chat_store.h"

#include <gmock/gmock.h>

#include "store/database.h"

namespace tipflow::anchor::store {
namespace {

using fixture::number;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};
constexpr Duration kSecond{kUsPerSecond};
constexpr RoomId kRoom{1'000'001};
constexpr std::size_t kScan = 1'000;

class ChatStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void say(std::int64_t viewer, std::string text, Time at, RoomId room = kRoom) {
    insertChats(*c, {{room, SessionId{5}, ViewerId{viewer}, std::move(text), at}});
  }
  ChatFilter filter(std::string part = {}) {
    ChatFilter wanted;
    wanted.room = kRoom;
    wanted.part = std::move(part);
    return wanted;
  }
  /// All texts, read in pages of two.
  std::vector<std::string> texts(const ChatFilter& wanted, std::size_t scan = kScan) {
    std::vector<std::string> found;
    std::optional<ChatPlace> after;
    pages = 0;
    do {
      const auto page = chats(*c, wanted, after, 2, scan);
      EXPECT_LE(page.chats.size(), 2U);
      for (const auto& chat : page.chats) found.push_back(chat.text);
      after = page.continues;
      ++pages;
    } while (after);
    return found;
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
  int pages = 0;
};
TIPFLOW_ON_BOTH(ChatStore);

TEST_P(ChatStore, shows_a_rooms_lines_newest_first_each_once) {
  say(1, "one", kNow);
  say(2, "two", kNow);
  say(1, "three", kNow + kSecond);
  say(3, "elsewhere", kNow, RoomId{7});
  say(3, "zero", kNow - kSecond);
  say(3, "before", kNow - 2 * kSecond);
  EXPECT_THAT(texts(filter()), ElementsAre("three", "two", "one", "zero", "before"));
  const auto first = chats(*c, filter(), std::nullopt, 1, kScan).chats.front();
  EXPECT_EQ(first.viewerId, ViewerId{1});
  EXPECT_EQ(first.sessionId, SessionId{5});
  EXPECT_EQ(first.at, kNow + kSecond);
}

TEST_P(ChatStore, says_that_a_full_last_page_is_the_last) {
  say(1, "a", kNow);
  say(1, "b", kNow);
  EXPECT_FALSE(chats(*c, filter(), std::nullopt, 2, kScan).continues);
  EXPECT_TRUE(chats(*c, filter(), std::nullopt, 1, kScan).continues);
  EXPECT_THAT(chats(*c, filter("nothing"), std::nullopt, 2, kScan).chats, IsEmpty());
}

TEST_P(ChatStore, narrows_by_viewer_time_and_text) {
  say(1, "Hello 上海", kNow);
  say(2, "hello", kNow + kSecond);
  say(1, "50%_off!", kNow + 2 * kSecond);
  EXPECT_THAT(texts(filter("HELLO")), ElementsAre("hello", "Hello 上海"));
  EXPECT_THAT(texts(filter("上")), ElementsAre("Hello 上海"));
  EXPECT_THAT(texts(filter("%_")), ElementsAre("50%_off!"));
  EXPECT_THAT(texts(filter("'")), IsEmpty());
  auto wanted = filter();
  wanted.viewer = ViewerId{1};
  EXPECT_THAT(texts(wanted), ElementsAre("50%_off!", "Hello 上海"));
  wanted = filter();
  wanted.from = kNow + kSecond;
  wanted.to = kNow + 2 * kSecond;
  EXPECT_THAT(texts(wanted), ElementsAre("hello"));
}

TEST_P(ChatStore, finds_a_rare_word_in_short_pages) {
  for (int i = 0; i < 50; ++i) {
    say(1, i % 20 == 0 ? "needle " + std::to_string(i) : "hay", kNow + Duration{i});
  }
  EXPECT_THAT(texts(filter("needle"), 10), ElementsAre("needle 40", "needle 20", "needle 0"));
  EXPECT_GE(pages, 5);
}

TEST_P(ChatStore, keeps_lines_of_one_instant_apart_from_page_to_page) {
  std::vector<std::string> said;
  for (int i = 9; i >= 0; --i) said.push_back("line " + std::to_string(i));
  for (auto line = said.rbegin(); line != said.rend(); ++line) say(1, *line, kNow);
  EXPECT_THAT(texts(filter()), ::testing::ElementsAreArray(said));
  EXPECT_THAT(texts(filter("line"), 3), ::testing::ElementsAreArray(said));
}

TEST_P(ChatStore, cuts_what_is_too_long_between_characters) {
  std::string longest;
  for (std::size_t i = 0; i < kChatCharacters; ++i) longest += i % 2 == 0 ? "🎤" : "音";
  say(1, longest, kNow);
  say(1, longest + "音乐", kNow + kSecond);
  EXPECT_THAT(texts(filter()), ElementsAre(longest, longest));
}

TEST_P(ChatStore, keeps_a_batch_whole_or_not_at_all) {
  insertChats(*c, {});
  std::vector<ChatLine> lines;
  for (int i = 0; i < 500; ++i) lines.push_back({kRoom, SessionId{5}, ViewerId{i + 1}, "hi", kNow});
  db::transact(*c, [&](db::Connection& t) { insertChats(t, lines); });
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM chat_message"), 500);
}

TEST_P(ChatStore, drops_what_is_too_old_a_little_at_a_time) {
  for (int i = 0; i < 5; ++i) say(1, "old", kNow);
  say(1, "young", kNow + Duration{1});
  const auto drop = [&] {
    return db::transact(*c, [&](db::Connection& t) { return dropChats(t, kNow + Duration{1}, 3); });
  };
  EXPECT_EQ(drop(), 3);
  EXPECT_EQ(drop(), 2);
  EXPECT_EQ(drop(), 0);
  EXPECT_THAT(texts(filter()), ElementsAre("young"));
}

}  // namespace
}  // namespace tipflow::anchor::store
