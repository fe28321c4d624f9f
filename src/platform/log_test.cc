#include "platform/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

namespace tipflow {
namespace {

// Lines that `write` leaves in the log file, parsed.
template <class Write>
std::vector<boost::json::object> linesOf(log::Level level, Write write) {
  const std::string file =
      testing::TempDir() + "tipflow_log_test_" + std::to_string(getpid()) + ".log";
  std::filesystem::remove(file);
  log::start({"node-1", level, file});
  write();
  log::stop();
  std::vector<boost::json::object> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(boost::json::parse(line).as_object());
  }
  std::filesystem::remove(file);
  return lines;
}

TEST(Log, writes_one_json_object_a_line_with_its_fields) {
  const auto lines = linesOf(log::Level::info, [] {
    log::line(log::Level::info, "audience", {"00000000000000010000000000000002", {}}, "request",
              log::field("path", std::string_view("/tips")), log::field("status", 201),
              log::field("ms", 1.5), log::field("slow", false));
    log::warn("finance", "away");
  });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("level"), "info");
  EXPECT_EQ(lines[0].at("role"), "audience");
  EXPECT_EQ(lines[0].at("node"), "node-1");
  EXPECT_EQ(lines[0].at("traceId"), "00000000000000010000000000000002");
  EXPECT_EQ(lines[0].at("msg"), "request");
  EXPECT_EQ(lines[0].at("path"), "/tips");
  EXPECT_EQ(lines[0].at("status"), 201);
  EXPECT_EQ(lines[0].at("ms"), 1.5);
  EXPECT_EQ(lines[0].at("slow"), false);
  EXPECT_TRUE(parseTime(std::string(lines[0].at("ts").as_string())));
  EXPECT_EQ(lines[1].at("level"), "warn");
  EXPECT_FALSE(lines[1].contains("traceId"));
}

TEST(Log, writes_durations_in_milliseconds) {
  const auto shown = [](std::int64_t us) {
    std::string text;
    log::appendField(text, log::field("ms", Duration{us}));
    return text;
  };
  EXPECT_EQ(shown(0), ",\"ms\":0");
  EXPECT_EQ(shown(7), ",\"ms\":0.007");
  EXPECT_EQ(shown(3'157), ",\"ms\":3.157");
  EXPECT_EQ(shown(3'100), ",\"ms\":3.1");
  EXPECT_EQ(shown(12'000), ",\"ms\":12");
  EXPECT_EQ(shown(1'234'050), ",\"ms\":1234.05");
  EXPECT_EQ(shown(-2'500), ",\"ms\":-2.5");
}

TEST(Log, no_input_can_forge_a_line_or_a_field) {
  std::string evil = "a\",\"level\":\"error\"}\n{\"msg\":\"forged\\";
  for (int c = 0; c < 0x20; ++c) evil += static_cast<char>(c);
  evil += '\x7f';
  const auto lines = linesOf(log::Level::info, [&] {
    log::info("audience", evil, log::field("path", std::string_view(evil)));
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("level"), "info");
  EXPECT_EQ(std::string_view(lines[0].at("msg").as_string()), evil);
  EXPECT_EQ(std::string_view(lines[0].at("path").as_string()), evil);
}

TEST(Log, every_line_of_every_thread_is_written_once_and_whole) {
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  const auto lines = linesOf(log::Level::info, [] {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([thread] {
        for (int i = 0; i < kLines; ++i) {
          log::info("audience", "line", log::field("thread", thread), log::field("i", i));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  });
  ASSERT_EQ(lines.size(), std::size_t{kThreads * kLines});
  std::array<int, kThreads> next{};
  for (const auto& line : lines) {
    const auto thread = static_cast<std::size_t>(line.at("thread").as_int64());
    EXPECT_EQ(line.at("i"), next[thread]++) << "a thread's lines keep their order";
  }
}

TEST(Log, leaves_out_what_is_below_its_level) {
  const auto lines = linesOf(log::Level::warn, [] {
    EXPECT_FALSE(log::enabled(log::Level::info));
    EXPECT_TRUE(log::enabled(log::Level::warn));
    log::info("audience", "not this");
    log::warn("audience", "this");
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("msg"), "this");
}

TEST(Log, changes_its_level_while_it_runs) {
  const auto lines = linesOf(log::Level::warn, [] {
    log::info("audience", "before");
    log::setLevel(log::Level::debug);
    log::info("audience", "after");
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("msg"), "after");
}

TEST(Log, hands_lines_and_spans_to_the_collector_and_only_lines_to_the_file) {
  std::vector<std::string> collected;
  const TraceContext own{{1, 2}, 3, true};
  const auto lines = linesOf(log::Level::info, [&] {
    log::collectWith([&](const Lines& some) {
      eachLine(some.text, [&](std::string_view line) { collected.emplace_back(line); });
    });
    log::line(log::Level::info, "audience", log::to(own), "hello", log::field("tips", 7));
    log::span({"tip commit", "audience", own, 9, Time{5'000}, Time{5'250}, false},
              log::field("tipId", 11));
    log::flush();
    log::collectWith({});
    log::info("audience", "not collected");
  });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(std::string_view(lines[0].at("traceId").as_string()), own.trace.hex());
  EXPECT_EQ(lines[0].at("spanId"), "0000000000000003");
  ASSERT_EQ(collected.size(), 2U);
  EXPECT_EQ(boost::json::parse(collected[0]).as_object(), lines[0]);
  const auto span = boost::json::parse(collected[1]).as_object();
  EXPECT_EQ(span.at("span"), "tip commit");
  EXPECT_EQ(span.at("parentId"), "0000000000000009");
  EXPECT_EQ(span.at("startUs"), 5'000);
  EXPECT_EQ(span.at("us"), 250);
  EXPECT_FALSE(span.at("error").as_bool());
  EXPECT_EQ(span.at("tipId"), 11);
}

TEST(Log, the_collector_is_given_what_was_written_before_it_came) {
  std::vector<std::string> collected;
  const auto lines = linesOf(log::Level::info, [&] {
    log::info("platform", "starting");
    log::flush();
    log::collectWith([&](const Lines& some) {
      eachLine(some.text, [&](std::string_view line) { collected.emplace_back(line); });
    });
    log::info("platform", "started");
    log::flush();
    log::collectWith({});
  });
  ASSERT_EQ(lines.size(), 2U);
  ASSERT_EQ(collected.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(boost::json::parse(collected[i]).as_object(), lines[i]);
  }
}

TEST(Log, a_full_disk_ends_nothing_and_is_said_once) {
  testing::internal::CaptureStderr();
  log::start({"node-1", log::Level::info, "/dev/full"});
  for (int i = 0; i < 10'000; ++i) log::info("audience", "a line that no disk takes");
  log::stop();
  const auto said = testing::internal::GetCapturedStderr();
  const auto first = said.find("the log cannot be written");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(said.find("the log cannot be written", first + 1), std::string::npos) << said;
}

TEST(Log, without_a_writer_nothing_is_enabled) {
  EXPECT_FALSE(log::enabled(log::Level::error));
  log::error("audience", "goes nowhere");
}

TEST(Log, reads_the_words_of_its_levels) {
  EXPECT_EQ(log::levelFromWord("debug"), log::Level::debug);
  EXPECT_EQ(log::levelFromWord("info"), log::Level::info);
  EXPECT_EQ(log::levelFromWord("warn"), log::Level::warn);
  EXPECT_EQ(log::levelFromWord("error"), log::Level::error);
}

}  // namespace
}  // namespace tipflow
