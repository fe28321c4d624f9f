// What operators are shown of the kept lines: JSON that is sound whatever was kept.
#include "console/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "console/record_fixture.h"

namespace tipflow::console {
namespace {

using testing::ElementsAre;

constexpr const char* kTrace = "0192a0000000700080000000000000a1";
constexpr const char* kOther = "0192a0000000700080000000000000b2";
constexpr const char* kTip = "0192a0000000700080000000000000c3";

class RecordsTest : public RecordStoreTest {
 protected:
  static std::vector<boost::json::object> parsed(const std::vector<std::string>& items) {
    std::vector<boost::json::object> objects;
    for (const auto& item : items) objects.push_back(boost::json::parse(item).as_object());
    return objects;
  }
  static std::string text(const boost::json::value& value) {
    return std::string(std::string_view(value.as_string()));
  }
  std::vector<boost::json::object> logs(LogFilter filter = {}) {
    return parsed(drogon::sync_wait(records->logs(std::move(filter), {})).items);
  }
  Result<ShownTrace> trace(const char* id) {
    return drogon::sync_wait(records->trace(TraceId::parse(id).value()));
  }
  static std::vector<std::string> names(const std::vector<std::string>& items, const char* member) {
    std::vector<std::string> names;
    for (const auto& item : parsed(items)) {
      names.push_back(text(item.at(member)));
    }
    return names;
  }
  static std::string of(const char* trace, const char* tip = nullptr) {
    auto fields = fmt::format(R"(,"traceId":"{}")", trace);
    if (tip != nullptr) fields += fmt::format(R"(,"tip":"{}")", tip);
    return fields;
  }
  /// The trace of one tip, with lines and spans of others around it.
  void keepTrace() const {
    keep({span(5, "POST /api/v1/tips", kTrace, R"(,"us":2417,"error":false,"status":201)"),
          log(5, "request", "info", "audience", of(kTrace, kTip)),
          span(4, "tip commit", kTrace,
               fmt::format(R"(,"parentId":"00f067aa0ba902b7","us":1204,"error":false,"tip":"{}")",
                           kTip)),
          log(3, "tip settled", "info", "finance", of(kTrace, kTip)),
          span(2, "GET /api/v1/rooms", kOther, R"(,"us":90,"error":false)"),
          log(2, "request", "info", "anchor", of(kOther))});
  }

  // A slow machine finds what a fast one does.
  static constexpr Duration kLong{60 * kUsPerSecond};
  std::unique_ptr<Records> records =
      std::make_unique<Records>(*store, RecordTimes{kLong, kLong, kLong, kLong});
};

TEST_F(RecordsTest, shows_a_line_with_its_fields_apart) {
  keep({log(
      1, "request", "warn", "audience",
      R"(,"traceId":"0192a0000000700080000000000000a1","status":409,"ms":1.50,"level":"x","big":18446744073709551615)")});
  const auto items = logs();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(text(items[0].at("ts")), formatTime(kNoon - Duration{kUsPerSecond}));
  EXPECT_EQ(text(items[0].at("level")), "warn");
  EXPECT_EQ(text(items[0].at("role")), "audience");
  EXPECT_EQ(text(items[0].at("node")), "n1");
  EXPECT_EQ(text(items[0].at("traceId")), kTrace);
  EXPECT_TRUE(items[0].at("spanId").is_null());
  EXPECT_EQ(text(items[0].at("msg")), "request");
  const auto& fields = items[0].at("fields").as_object();
  EXPECT_EQ(fields.at("status"), 409);
  EXPECT_EQ(text(fields.at("level")), "x");
  EXPECT_EQ(fields.at("big").as_uint64(), 18446744073709551615U);
}

TEST_F(RecordsTest, shows_hostile_text_as_the_text_it_is) {
  const std::string hostile("a\nb\"}\r\n{\"msg\":\"forged\"}\t\x1b[31m\x01\\ <script>");
  keep({log(2, hostile), log(1,
                             "\xff\xfe"
                             "broken")});
  const auto items = logs();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(text(items[1].at("msg")), hostile);
  EXPECT_EQ(text(items[0].at("msg")),
            "\xEF\xBF\xBD\xEF\xBF\xBD"
            "broken");
}

TEST_F(RecordsTest, shows_what_is_no_json_within_a_line_that_is) {
  const std::string head = R"({"ts":"2026-02-02T03:00:00.000Z","level":"info","msg":"x")";
  const std::vector<std::string> lines{head + R"(,"a":nan})",
                                       head + R"(,"a":01})",
                                       head + R"(,"a":[1,]})",
                                       head + R"(,"a":"\q"})",
                                       head + ",\"a\":\"\xff\"}",
                                       head + R"(,"a":"\ud800"})",
                                       "no line",
                                       head + R"(,"a":1,,})"};
  for (const auto& line : lines) {
    SCOPED_TRACE(line);
    keep({line});
    const auto items = logs();
    EXPECT_EQ(text(items.front().at("msg")), "a line that cannot be read");
    store.reset();
    std::filesystem::remove_all(options.directory);
    reopen();
    records = std::make_unique<Records>(*store, RecordTimes{kLong, kLong, kLong, kLong});
  }
}

TEST_F(RecordsTest, of_a_name_written_twice_the_last_is_shown) {
  keep({log(1, "request", "info", "audience", R"(,"a":1,"b":2,"a":3)")});
  const auto items = logs();
  EXPECT_EQ(items[0].at("fields").as_object().size(), 2U);
  EXPECT_EQ(items[0].at("fields").at("a"), 3);
}

TEST_F(RecordsTest, follows_a_tip_by_its_trace_and_by_its_own_id) {
  keepTrace();
  for (const auto* id : {kTrace, kTip}) {
    const auto found = trace(id);
    ASSERT_TRUE(found) << id;
    EXPECT_EQ(found->traceId, TraceId::parse(kTrace));
    EXPECT_THAT(names(found->spans, "name"), ElementsAre("POST /api/v1/tips", "tip commit"));
    EXPECT_THAT(names(found->logs, "msg"), ElementsAre("request", "tip settled"));
    EXPECT_TRUE(found->complete);
  }
  const auto spans = parsed(trace(kTrace)->spans);
  EXPECT_TRUE(spans[0].at("parentId").is_null());
  EXPECT_EQ(text(spans[1].at("parentId")), "00f067aa0ba902b7");
  EXPECT_DOUBLE_EQ(spans[1].at("durationMs").as_double(), 1.204);
  EXPECT_EQ(spans[1].at("attributes").as_object().size(), 1U);
}

TEST_F(RecordsTest, knows_a_trace_that_has_lines_alone_and_none_that_has_nothing) {
  keep({log(1, "request", "info", "audience", of(kTrace))});
  const auto found = trace(kTrace);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->spans.empty());
  EXPECT_EQ(found->logs.size(), 1U);
  const auto none = trace(kOther);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::trace_not_found);
}

TEST_F(RecordsTest, says_when_a_trace_is_longer_than_what_is_shown) {
  std::vector<std::string> lines(1'001, log(1, "request", "info", "audience", of(kTrace)));
  keep(lines);
  const auto found = trace(kTrace);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->logs.size(), 1'000U);
  EXPECT_FALSE(found->complete);
}

TEST_F(RecordsTest, lists_traces_with_the_number_of_their_spans) {
  keepTrace();
  const auto items = parsed(drogon::sync_wait(records->traces({}, {})).items);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(text(items[0].at("name")), "GET /api/v1/rooms");
  EXPECT_EQ(items[0].at("spans"), 1);
  EXPECT_EQ(text(items[1].at("traceId")), kTrace);
  EXPECT_EQ(items[1].at("spans"), 2);
  EXPECT_DOUBLE_EQ(items[1].at("durationMs").as_double(), 2.417);
}

}  // namespace
}  // namespace tipflow::console
