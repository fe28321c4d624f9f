// What is kept is found, in order and page by page. The store's files are small here, so that a few
// lines fill several blocks and files.
#include "console/record_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"
#include "console/record_fixture.h"

namespace tipflow::console {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kTraceA = "0192a0000000700080000000000000a1";
constexpr const char* kTraceB = "0192a0000000700080000000000000b2";

class RecordSearch : public RecordStoreTest {};

TEST_F(RecordSearch, lists_the_newest_first_whatever_the_order_they_came_in) {
  keep({log(5, "e"), log(1, "a")});
  keep({log(3, "c"), log(2, "b"), log(4, "d")});
  EXPECT_THAT(messages(LogFilter{}), ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(RecordSearch, finds_a_line_whether_it_is_in_a_block_already_or_not) {
  for (int i = 0; i < 30; ++i) {
    keep({log(i, fmt::format("line{}", i))});
    EXPECT_THAT(messages(with(fmt::format("line{} ", i))), ElementsAre(fmt::format("line{}", i)));
    EXPECT_EQ(messages(LogFilter{}).size(), static_cast<std::size_t>(i) + 1);
  }
}

TEST_F(RecordSearch, finds_by_level_or_worse_role_words_and_time_together) {
  keep({log(9, "old request refused", "warn"), log(8, "request refused", "warn", "finance"),
        log(7, "request refused", "error"), log(6, "request refused", "info"),
        log(5, "request failed", "error"), log(4, "request refused", "warn"),
        log(3, "request refused", "debug"), log(2, "away", "error"), log(1, "back", "info")});
  auto filter = with("request refused ");
  filter.least = Severity::warn;
  filter.role = "audience";
  auto search = everything(filter);
  search.from = kNoon - Duration{8 * kUsPerSecond};
  search.to = kNoon - Duration{4 * kUsPerSecond};
  const auto found = store->find(search);
  ASSERT_EQ(found.lines.size(), 1U);
  EXPECT_EQ(found.lines.front().place.at, kNoon - Duration{7 * kUsPerSecond});
  EXPECT_FALSE(found.next);
  EXPECT_FALSE(found.searchedTo);

  LogFilter worse;
  worse.least = Severity::error;
  EXPECT_EQ(messages(worse).size(), 3U);
  LogFilter finance;
  finance.role = "finance";
  EXPECT_EQ(messages(finance).size(), 1U);
  finance.least = Severity::error;
  EXPECT_THAT(messages(finance), IsEmpty());
}

TEST_F(RecordSearch, finds_a_trace_by_its_id_and_a_tip_by_its_own) {
  const auto belongs = [](const char* name, const char* id) {
    return fmt::format(R"(,"{}":"{}")", name, id);
  };
  keep({log(6, "one", "info", "audience", belongs("traceId", kTraceA)),
        log(5, "two", "info", "audience", belongs("tip", kTraceA)),
        log(4, "three", "info", "audience", belongs("traceId", kTraceB)),
        log(3, "asked", "info", "console", belongs("query", kTraceA))});
  for (int i = 0; i < 8; ++i) keep({log(2, "filler")});
  LogFilter filter;
  filter.trace = TraceId::parse(kTraceA);
  EXPECT_THAT(messages(filter), ElementsAre("two", "one")) << "who asks for it is no part of it";
  EXPECT_THAT(messages(with("0192A000-0000-7000-8000-0000000000A1")),
              ElementsAre("asked", "two", "one"));
}

TEST_F(RecordSearch, finds_numbers_whole_wherever_they_stand) {
  const auto told = [](int i) {
    return fmt::format(R"(,"tipId":{},"of":"room 7{}","range":-{},"ms":3.25)", 8'589'000 + i, i, i);
  };
  for (int i = 0; i < 30; ++i) {
    keep({log(i, "3.5 parts of 1", "info", "audience", told(i)), log(i, "other")});
  }
  EXPECT_EQ(messages(with("8589012")).size(), 1U);
  EXPECT_EQ(messages(with("room 712")).size(), 1U);
  EXPECT_EQ(messages(with("858901")).size(), 0U) << "nobody looks for the beginning of a number";
  EXPECT_EQ(messages(with("8589012 room 712 12 parts")).size(), 1U);
  EXPECT_THAT(messages(with("8589012 713")), IsEmpty()) << "both are in a block, not in a line";
  EXPECT_EQ(messages(with("3.5")).size(), 30U) << "a text is no fraction, whatever it begins with";
  EXPECT_EQ(messages(with("3.5 n1 30")).size(), 0U);
}

TEST_F(RecordSearch, finds_a_line_of_many_that_came_at_once) {
  options.blocks = {1, 300};  // more blocks than are found by one entry
  reopen();
  std::vector<std::string> lines;
  for (int i = 0; i < 700; ++i) {
    lines.push_back(log(i, "line", "info", "audience",
                        fmt::format(R"(,"number":{},"tip":"{:032x}")", 10'000 + i, i + 1)));
  }
  keep(lines);
  for (const int i : {0, 1, 254, 255, 256, 257, 299, 300, 511, 512, 699}) {
    EXPECT_EQ(messages(with(fmt::format("{}", 10'000 + i))).size(), 1U) << i;
    LogFilter filter;
    filter.trace = TraceId{0, static_cast<std::uint64_t>(i) + 1};
    EXPECT_EQ(messages(filter).size(), 1U) << i;
  }
}

TEST_F(RecordSearch, text_of_any_script_is_found) {
  keep({log(2, "message", "info", "audience", R"(,"message":"好听！加油")"), log(1, "other")});
  EXPECT_THAT(messages(with("加油")), ElementsAre("message"));
  EXPECT_THAT(messages(with("听加")), ElementsAre("message"));
  EXPECT_THAT(messages(with("再见")), IsEmpty());
}

TEST_F(RecordSearch, what_a_question_says_is_never_part_of_the_index_language) {
  for (int i = 0; i < 20; ++i) keep({log(i, "plain")});
  for (const auto* query :
       {"\"", "plain\" OR \"x", "plain AND nothing", "NEAR(plain)", "wplain*", "t:plain", "^plain",
        "plain\"*", "'; DROP TABLE block; --", "{plain}", "plain OR plain x"}) {
    (void)messages(with(query));  // throws when the index cannot read it
  }
  EXPECT_THAT(messages(with("\"plain\"")).size(), 20U);
  EXPECT_THAT(messages(with("plain\" OR \"x")), IsEmpty());
}

TEST_F(RecordSearch, forged_lines_and_odd_bytes_stay_inside_their_field) {
  const std::string hostile(
      "a\nb\"}\r\n{\"ts\":\"2026-01-01T00:00:00.000Z\",\"msg\":\"forged\"}"
      "\xff\xfe\x1b[31m\x01 \\ end");
  keep({log(3, hostile), log(2, "b", "info", "audience", ",\"field\":\"\\u000a\\\"}\""),
        "not a line\nat all \"", "{\"ts\":\"2026-01-01T00:00:00.000Z\",\"msg\":\"two\nlines\"}"});
  for (int i = 0; i < 10; ++i) keep({log(1, "filler")});
  EXPECT_THAT(messages(with("forged")).size(), 1U);
  EXPECT_EQ(messages(LogFilter{}).size(), 16U);
  EXPECT_THAT(messages(with("cannot read")), testing::SizeIs(4)) << "a line feed ends a line";
}

TEST_F(RecordSearch, pages_hold_every_line_once_in_order) {
  SeededRandom random(3);
  options.segmentLines = 40;
  reopen();
  std::multiset<std::string> expected;
  for (int batch = 0; batch < 40; ++batch) {
    std::vector<std::string> lines;
    for (std::uint64_t i = 0; i < 1 + random.below(9); ++i) {
      // Few instants, so that many lines share one.
      lines.push_back(log(static_cast<int>(random.below(12)), fmt::format("{}-{}", batch, i)));
      expected.insert(fmt::format("{}-{}", batch, i));
    }
    keep(lines);
  }
  EXPECT_GT(store->segments(), 3U);
  for (const std::size_t size : {1U, 3U, 20U, 500U}) {
    std::multiset<std::string> seen;
    auto last = kFromNewest;
    const LogFilter filter;
    auto search = everything(filter, size);
    for (bool more = true; more;) {
      const auto found = store->find(search);
      EXPECT_LE(found.lines.size(), size);
      for (const auto& line : found.lines) {
        EXPECT_LT(line.place, last);
        last = line.place;
      }
      for (auto& message : messagesOf(found)) seen.insert(std::move(message));
      more = found.next.has_value();
      if (more) search.before = *found.next;
    }
    EXPECT_EQ(seen, expected) << "pages of " << size;
  }
}

TEST_F(RecordSearch, without_time_every_page_comes_further_and_nothing_is_left_out) {
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    expected.push_back(fmt::format("line{}", i));
    if (i < 30) keep({log(i, expected.back()), log(i + 30, fmt::format("line{}", i + 30))});
  }
  const LogFilter filter;
  auto search = everything(filter);
  search.until = std::chrono::steady_clock::now();  // over before it begins
  std::vector<std::string> seen;
  int pages = 0;
  bool stopped = false;
  for (bool more = true; more && pages < 1'000; ++pages) {
    const auto found = store->find(search);
    for (auto& message : messagesOf(found)) seen.push_back(std::move(message));
    stopped = stopped || found.searchedTo.has_value();
    more = found.next.has_value();
    if (more) search.before = *found.next;
  }
  EXPECT_TRUE(stopped);
  EXPECT_EQ(seen, expected);
}

TEST_F(RecordSearch, finds_where_slow_or_failed_traces_begin) {
  const auto root = [&](int ago, const char* name, int ms, bool failed) {
    return span(ago, name, kTraceA, fmt::format(R"(,"us":{},"error":{})", ms * 1'000, failed));
  };
  keep(
      {root(9, "GET /a", 3, false), root(8, "POST /a", 700, false), root(7, "POST /a", 499, true),
       root(6, "POST /b", 70'000, true), root(5, "POST /a", 500, true),
       span(4, "tip commit", kTraceA, R"(,"parentId":"53995c3f42cd8ad8","us":900000,"error":true)"),
       log(3, "POST /a")});
  for (int i = 0; i < 10; ++i) keep({root(1, "GET /c", 1, false)});

  RootFilter slow;
  slow.least = Duration{500 * kUsPerMs};
  EXPECT_THAT(messages(slow), ElementsAre("POST /a", "POST /b", "POST /a"));
  slow.name = "POST /a";
  EXPECT_THAT(messages(slow), ElementsAre("POST /a", "POST /a"));
  slow.failed = true;
  EXPECT_THAT(messages(slow), ElementsAre("POST /a"));
  slow.least = Duration{50'001 * kUsPerMs};
  slow.name.clear();
  EXPECT_THAT(messages(slow), ElementsAre("POST /b"));
  slow.role = "finance";
  EXPECT_THAT(messages(slow), IsEmpty());
  RootFilter good;
  good.failed = false;
  EXPECT_EQ(messages(good).size(), 12U);
}

TEST_F(RecordSearch, finds_the_spans_of_a_trace_and_those_that_tell_of_a_tip) {
  keep({span(3, "request", kTraceA, ""),
        span(2, "commit", kTraceA, fmt::format(R"(,"tip":"{}")", kTraceB)),
        span(1, "other", "0192a0000000700080000000000000c3", "")});
  for (int i = 0; i < 10; ++i) keep({span(1, "filler", "0192a0000000700080000000000000d4", "")});
  TraceFilter filter;
  filter.ids = {TraceId::parse(kTraceA).value()};
  EXPECT_THAT(messages(filter), ElementsAre("commit", "request"));
  filter.ids = {TraceId::parse(kTraceB).value()};
  EXPECT_THAT(messages(filter), IsEmpty());
  filter.ofTips = true;
  EXPECT_THAT(messages(filter), ElementsAre("commit"));
}

}  // namespace
}  // namespace tipflow::console
