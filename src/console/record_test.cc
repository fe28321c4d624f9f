#include "console/record.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/text.h"

namespace tipflow::console {
namespace {

constexpr const char* kLine =
    R"({"ts":"2026-11-22T17:00:00.123Z","level":"warn","role":"audience","node":"n1",)"
    R"("traceId":"0192a0000000700080000000000000a1","spanId":"00f067aa0ba902b7","msg":"request",)"
    R"("status":201,"ms":1.5,"list":[1,{"a":"}"}],"tip":"0192a0000000700080000000000000b2"})";

std::optional<Record> read(const std::string& line) {
  static std::string kept;  // a record views its line
  kept = line;
  return readRecord(kept);
}

TEST(Record, reads_the_head_of_a_line_and_leaves_the_rest_as_fields) {
  const auto record = readRecord(kLine);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->kind, RecordKind::log);
  EXPECT_EQ(record->at, parseTime("2026-11-22T17:00:00.123Z"));
  EXPECT_EQ(record->severity, Severity::warn);
  EXPECT_EQ(record->role, "audience");
  EXPECT_EQ(record->node, "n1");
  EXPECT_EQ(record->traceId, "0192a0000000700080000000000000a1");
  EXPECT_EQ(record->spanId, "00f067aa0ba902b7");
  EXPECT_EQ(record->text, "request");
  ASSERT_EQ(record->fields.size(), 4U);
  EXPECT_EQ(record->fields[2].name, "list");
  EXPECT_EQ(record->fields[2].value, R"([1,{"a":"}"}])");
}

TEST(Record, reads_a_span) {
  const auto record = readRecord(
      R"({"ts":"2026-11-22T17:00:00.123Z","span":"tip commit","role":"audience","node":"n1",)"
      R"("traceId":"0192a0000000700080000000000000a1","spanId":"00f067aa0ba902b7",)"
      R"("parentId":"53995c3f42cd8ad8","startUs":1770000000000123,"us":1234,"error":true,)"
      R"("error":"late","batch":12})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->kind, RecordKind::span);
  EXPECT_EQ(record->at, Time{1'770'000'000'000'123});
  EXPECT_EQ(record->took, Duration{1'234});
  EXPECT_TRUE(record->failed);
  EXPECT_EQ(record->parentId, "53995c3f42cd8ad8");
  ASSERT_EQ(record->fields.size(), 2U);
  EXPECT_EQ(record->fields[0].value, "\"late\"");
}

TEST(Record, a_field_called_like_a_part_of_the_head_stays_a_field) {
  const auto record = readRecord(
      R"({"ts":"2026-11-22T17:00:00.123Z","level":"info","role":"console","node":"n1",)"
      R"("msg":"level changed","level":"error","role":"viewer","node":"n2","msg":"x","ts":"y",)"
      R"("span":"z","us":1})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->severity, Severity::info);
  EXPECT_EQ(record->role, "console");
  EXPECT_EQ(record->node, "n1");
  EXPECT_EQ(record->text, "level changed");
  EXPECT_EQ(record->fields.size(), 7U);
}

TEST(Record, a_trace_begins_where_nobody_asked_or_somebody_outside) {
  const auto rootOf = [](const std::string& rest) {
    return read(R"({"ts":"2026-11-22T17:00:00.123Z","span":"s","startUs":1,"us":1)" + rest + "}")
        ->isRoot();
  };
  EXPECT_TRUE(rootOf(""));
  EXPECT_TRUE(rootOf(R"(,"parentId":"53995c3f42cd8ad8","path":"/api/v1/tips")"));
  EXPECT_FALSE(rootOf(R"(,"parentId":"53995c3f42cd8ad8","path":"/internal/v1/ledger")"));
  EXPECT_FALSE(rootOf(R"(,"parentId":"53995c3f42cd8ad8")"));
}

TEST(Record, is_not_read_from_what_is_no_line) {
  for (const std::string line :
       {"", "{", "{}", "null", "[]", "plain text", R"({"ts":"2026-11-22T17:00:00.123Z"})",
        R"({"msg":"x"})", R"({"ts":"yesterday","msg":"x"})",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":1})",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x")",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x"}})",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x"} )",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x\"})",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x","a":})",
        R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x","a":[1})",
        "{\"ts\":\"2026-11-22T17:00:00.123Z\",\"msg\":\"x\\\n\"}",
        "{\"ts\":\"2026-11-22T17:00:00.123Z\",\"msg\":\"two\nlines\"}"}) {
    EXPECT_FALSE(readRecord(line)) << line;
  }
  std::string deep = R"({"ts":"2026-11-22T17:00:00.123Z","msg":"x","a":)";
  deep += std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_FALSE(readRecord(deep));
}

TEST(Record, what_cannot_be_read_becomes_a_line_that_can) {
  const std::string hostile("\"}\n{\"level\":\"error\",\"msg\":\"forged\"}\r\x1b[2J\xff\0\\", 43);
  const auto line = unreadable(hostile, Time{1'770'000'000'000'000});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto record = readRecord(line);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->severity, Severity::warn);
  boost::json::error_code error;
  const auto parsed = boost::json::parse(line, error);
  ASSERT_FALSE(error) << line;
  EXPECT_EQ(parsed.as_object().size(), 6U);
}

}  // namespace
}  // namespace tipflow::console
