#include "platform/security/key_list.h"

#include <gtest/gtest.h>

#include "platform/security/crypto.h"

namespace tipflow {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
const std::string kA(64, 'a');
const std::string kB(64, 'b');

struct KeyListTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  static std::string faultOf(KeyKind kind, const std::string& text, bool file) {
    try {
      (void)(file ? parseKeyFile(kind, text) : parseKeySetting(kind, text));
      return "none";
    } catch (const KeyError& error) {
      return error.what();
    }
  }
};

TEST_F(KeyListTest, of_a_setting_keeps_its_order) {
  const auto keys = parseKeySetting(KeyKind::data, "new:" + kA + ", old-1:" + kB);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].id, "new");
  EXPECT_EQ(keys[0].secret.bytes(), std::string(32, '\xaa'));
  EXPECT_EQ(keys[1].id, "old-1");
  EXPECT_FALSE(keys[0].madeAt);
  EXPECT_EQ(findKey(keys, "old-1"), &keys[1]);
  EXPECT_EQ(findKey(keys, "old"), nullptr);
}

TEST_F(KeyListTest, of_token_keys_names_each_by_its_hash) {
  const auto keys = parseKeySetting(KeyKind::token, kA + "," + kB);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].id, crypto::toHex(crypto::sha256(std::string(32, '\xaa'))).substr(0, 8));
  EXPECT_NE(keys[0].id, keys[1].id);
}

TEST_F(KeyListTest, is_the_same_after_it_was_written_to_a_file) {
  for (const auto kind : {KeyKind::data, KeyKind::token}) {
    const KeyList keys{newKey(kind, kNow), newKey(kind, kNow + Duration{kUsPerHour})};
    const auto read = parseKeyFile(kind, formatKeyFile(kind, keys));
    ASSERT_EQ(read.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(read[i].id, keys[i].id);
      EXPECT_EQ(read[i].secret.bytes(), keys[i].secret.bytes());
      EXPECT_EQ(read[i].madeAt, keys[i].madeAt);
    }
    EXPECT_EQ(newestMadeAt(read), kNow + Duration{kUsPerHour});
  }
}

TEST_F(KeyListTest, of_a_file_may_miss_times_and_have_empty_lines) {
  const auto tokens = parseKeyFile(KeyKind::token, kA + "\n");
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_FALSE(tokens[0].madeAt);
  EXPECT_FALSE(newestMadeAt(tokens));

  const auto data = parseKeyFile(KeyKind::data,
                                 "\n one  " + kA + "\r\n\ntwo " + kB + " 2026-01-31T08:30:00.000Z");
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data[1].madeAt, parseTime("2026-01-31T08:30:00.000Z"));
}

TEST_F(KeyListTest, that_is_wrong_is_refused_with_the_place_and_never_the_key) {
  const std::string nearly(63, 'a');
  const auto fault = [&](KeyKind kind, const std::string& text, bool file, const char* place) {
    const auto said = faultOf(kind, text, file);
    EXPECT_TRUE(said.starts_with(place)) << said;
    EXPECT_EQ(said.find(nearly), std::string::npos) << said;
  };
  fault(KeyKind::data, "", false, "key 1 must be");
  fault(KeyKind::data, kA, false, "key 1 must be");
  fault(KeyKind::data, ":" + kA, false, "key 1 must be");
  fault(KeyKind::data, "a.b:" + kA, false, "key 1 must be");
  fault(KeyKind::data, "a_name_of_thirty-three_characters:" + kA, false, "key 1 must be");
  fault(KeyKind::data, "a:" + kA + ",", false, "key 2 must be");
  fault(KeyKind::data, "a:" + kA + ",b:" + nearly, false, "key 2 must be");
  fault(KeyKind::data, "a:" + kA + ",a:" + kB, false, "key 2 has the id a");
  fault(KeyKind::token, nearly, false, "key 1 must be");
  fault(KeyKind::token, nearly + "g", false, "key 1 must be");
  fault(KeyKind::token, "a:" + kA, false, "key 1 must be");
  fault(KeyKind::token, kA + "," + kA, false, "key 2 has the id");
  fault(KeyKind::data, "", true, "holds no key");
  fault(KeyKind::data, kA, true, "line 1 must be");
  fault(KeyKind::data, "\na " + kA + " yesterday", true, "line 2 must be");
  fault(KeyKind::data, "a " + kA + " 2026-01-31T08:30:00.000Z more", true, "line 1 must be");
  fault(KeyKind::token, nearly, true, "line 1 must be");
}

TEST_F(KeyListTest, gets_keys_that_differ) {
  const auto one = newKey(KeyKind::data, kNow);
  const auto two = newKey(KeyKind::data, kNow);
  EXPECT_NE(one.id, two.id);
  EXPECT_NE(one.secret.bytes(), two.secret.bytes());
  EXPECT_EQ(one.madeAt, kNow);
}

}  // namespace
}  // namespace tipflow
