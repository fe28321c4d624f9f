#include "platform/node_report.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

NodeReport full() {
  NodeReport report;
  report.version = "1.2.3";
  report.startedAt = Time{1'770'000'000'000'000};
  report.tips = {12.5, 7, 340};
  report.today = {Time{1'769'990'400'000'000}, 9'000, Fen{1'234'567}};
  return report;
}

TEST(NodeReport, is_read_as_it_was_written) {
  const auto text = json::toText(full());
  const auto read = readNodeReport(text);
  ASSERT_TRUE(read) << text;
  EXPECT_EQ(json::toText(*read), text);
}

TEST(NodeReport, of_a_node_that_takes_no_tips_and_keeps_no_books_has_neither) {
  auto report = full();
  report.tips.reset();
  report.today.reset();
  const auto read = readNodeReport(json::toText(report));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->tips);
  EXPECT_FALSE(read->today);
}

TEST(NodeReport, of_a_newer_release_is_read_without_what_is_new) {
  const auto read = readNodeReport(
      R"({"version":"9","startedAt":"2026-01-01T00:00:00.000Z","tips":null,"more":{"a":1}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, "9");
}

TEST(NodeReport, is_not_made_of_anything_else) {
  for (const char* text :
       {"", "[]", "{}", "null", R"({"version":1,"startedAt":"2026-01-01T00:00:00.000Z"})",
        R"({"version":"9","startedAt":"yesterday"})",
        R"({"version":"9","startedAt":"2026-01-01T00:00:00.000Z","tips":{"perSecond":1}})"}) {
    EXPECT_FALSE(readNodeReport(text)) << text;
  }
}

}  // namespace
}  // namespace tipflow
