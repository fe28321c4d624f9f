// A record store in a directory of its own, and lines to put into it; for tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "console/record_store.h"

namespace tipflow::console {

class RecordStoreTest : public testing::Test {
 protected:
  static constexpr Time kNoon{1'770'000'000 * kUsPerSecond};

  RecordStoreTest() {
    options.directory = fmt::format("{}tipflow_records_{}_{}", testing::TempDir(), getpid(),
                                    testing::UnitTest::GetInstance()->current_test_info()->name());
    options.blocks = {4, 2};
    std::filesystem::remove_all(options.directory);
    reopen();
  }
  ~RecordStoreTest() override {
    store.reset();
    std::filesystem::remove_all(options.directory);
  }

  void reopen() {
    store.reset();
    store = std::make_unique<RecordStore>(options, clock);
    store->open();
  }

  /// A log line `secondsAgo` before noon.
  static std::string log(int secondsAgo, std::string_view msg, std::string_view level = "info",
                         std::string_view role = "audience", std::string_view fields = "") {
    std::string line =
        fmt::format(R"({{"ts":"{}","level":"{}","role":"{}","node":"n1","msg":)",
                    formatTime(kNoon - Duration{secondsAgo * kUsPerSecond}), level, role);
    appendJsonString(line, msg);
    return line + std::string(fields) + "}";
  }
  static std::string span(int secondsAgo, std::string_view name, std::string_view trace,
                          std::string_view rest) {
    const Time at = kNoon - Duration{secondsAgo * kUsPerSecond};
    return fmt::format(R"({{"ts":"{}","span":"{}","role":"audience","node":"n1","traceId":"{}",)"
                       R"("spanId":"00f067aa0ba902b7"{},"startUs":{}}})",
                       formatTime(at), name, trace, rest, at.us);
  }
  void keep(const std::vector<std::string>& lines) const {
    Lines all;
    for (const auto& line : lines) all.add(line);
    store->keep(all.text);
  }

  static Search everything(const RecordFilter& filter, std::size_t limit = 1'000) {
    Search search{filter};
    search.limit = limit;
    search.until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    return search;
  }
  /// The messages of the lines that fit, newest first.
  std::vector<std::string> messages(const RecordFilter& filter) const {
    return messagesOf(store->find(everything(filter)));
  }
  static std::vector<std::string> messagesOf(const Found& found) {
    std::vector<std::string> messages;
    for (const auto& line : found.lines) {
      messages.emplace_back(readRecord(line.text).value().text);
    }
    return messages;
  }
  static LogFilter with(std::string_view words) {
    LogFilter filter;
    filter.wanted = wantedWords(words);
    return filter;
  }

  ManualClock clock{kNoon};
  RecordStoreOptions options;
  std::unique_ptr<RecordStore> store;
};

}  // namespace tipflow::console
