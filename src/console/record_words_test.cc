#include "console/record_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tipflow::console {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> wordsOf(std::string_view text) {
  std::vector<std::string> words;
  eachWord(
      text, [&](std::string_view word) { words.emplace_back(word); },
      [&](const TraceId& id) { words.push_back("id:" + id.hex()); });
  return words;
}

bool found(const std::string& fields, std::string_view query) {
  const auto line = R"({"ts":"2026-11-22T17:00:00.123Z","level":"info","role":"audience",)"
                    R"("node":"node-1","traceId":"0192a0000000700080000000000000a1",)"
                    R"("msg":"Request refused")" +
                    fields + "}";
  return hasAll(readRecord(line).value(), wantedWords(query));
}

TEST(RecordWords, are_runs_of_letters_and_digits_in_lower_case) {
  EXPECT_THAT(wordsOf("\"GET /api/v1/Tips?x=1_000\""),
              ElementsAre("get", "api", "v1", "tips", "x", "1", "000"));
  EXPECT_THAT(wordsOf(" \t-.,:;()[]{}\"'"), IsEmpty());
}

TEST(RecordWords, of_other_scripts_are_single_characters) {
  EXPECT_THAT(wordsOf("a好听！é"), ElementsAre("a", "好", "听", "！", "é"));
}

TEST(RecordWords, are_separated_by_escapes) {
  EXPECT_THAT(wordsOf(R"(a\u000ab\"c\\d)"), ElementsAre("a", "b", "c", "d"));
}

TEST(RecordWords, that_are_trace_ids_are_found_however_they_are_written) {
  const auto* id = "id:019cec37b67b7b449d216a3c0f8e1b57";
  EXPECT_THAT(wordsOf("019cec37b67b7b449d216a3c0f8e1b57"), ElementsAre(id));
  EXPECT_THAT(wordsOf("019CEC37-B67B-7B44-9D21-6A3C0F8E1B57"), ElementsAre(id));
  EXPECT_THAT(wordsOf("/tips/019cec37b67b7b449d216a3c0f8e1b57/journey"),
              ElementsAre("tips", id, "journey"));
  EXPECT_THAT(wordsOf("019cec37b67b7b449d216a3c0f8e1b57a"),
              ElementsAre("019cec37b67b7b449d216a3c0f8e1b57a"));
  EXPECT_THAT(wordsOf("019cec37-b67b"), ElementsAre("019cec37", "b67b"));
}

TEST(RecordWords, survive_bytes_that_are_no_text) {
  EXPECT_THAT(wordsOf("a\xff\x80"
                      "b\xe4\xbd"),
              ElementsAre("a", "\xff\x80", "b", "\xe4\xbd"));
  EXPECT_THAT(wordsOf("a\\"), ElementsAre("a"));
  EXPECT_THAT(wordsOf("a\\u12"), ElementsAre("a"));
  EXPECT_EQ(wordsOf(std::string(1'000, 'x')).front().size(), kLongestWord);
}

TEST(RecordWords, must_all_occur_in_message_fields_node_or_trace) {
  EXPECT_TRUE(found(R"(,"code":"room_not_live","id":90417)", "live 90417 refused node"));
  EXPECT_FALSE(found(R"(,"code":"room_not_live")", "live 90417"));
  EXPECT_TRUE(found("", "0192a0000000700080000000000000a1"));
  EXPECT_TRUE(found(R"(,"tip":"0192a000-0000-7000-8000-0000000000b2")",
                    "0192A0000000700080000000000000B2"));
  EXPECT_FALSE(found(R"(,"colour":"red")", "colour")) << "names of fields are no words";
  EXPECT_FALSE(found("", "audience")) << "the role has a filter of its own";
}

TEST(RecordWords, the_last_may_be_begun_unless_it_is_a_number) {
  EXPECT_TRUE(found("", "refu"));
  EXPECT_TRUE(found("", "request refu"));
  EXPECT_FALSE(found("", "refu request"));
  EXPECT_FALSE(found("", "refu "));
  EXPECT_FALSE(found(R"(,"id":90417)", "904"));
}

TEST(RecordWords, asked_for_may_be_longer_than_what_is_compared) {
  const std::string word(200, 'x');
  EXPECT_TRUE(found(",\"a\":\"" + word + "\"", word));
}

TEST(RecordWords, of_a_question_without_any_are_none) {
  EXPECT_TRUE(wantedWords("").none());
  EXPECT_TRUE(wantedWords(" \"*' OR -- \\").words == std::vector<std::string>{"or"});
  EXPECT_TRUE(wantedWords("***").none());
}

}  // namespace
}  // namespace tipflow::console
