// The files behind the record store: begun, finished, dropped by age and size, survived when they
// are damaged or the disk is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "console/record_fixture.h"

namespace tipflow::console {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class RecordFiles : public RecordStoreTest {
 protected:
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
      const auto name = entry.path().filename().string();
      if (name.ends_with(".sqlite")) names.push_back(name);
    }
    return names;
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return options.directory + "/" + name;
  }
  void spoil(const std::string& name, std::streamoff from) const {
    std::fstream file(path(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(0, std::ios::end);
    const auto size = file.tellp();
    ASSERT_GT(size, from);
    file.seekp(from);
    file << std::string(static_cast<std::size_t>(size - from), '\x5a');
  }
  void keepMany(int lines, int ago = 0) const {
    for (int i = 0; i < lines; ++i) keep({log(ago, fmt::format("line{}", i))});
  }
};

TEST_F(RecordFiles, hold_after_a_restart_what_was_kept_and_go_on) {
  keepMany(11);
  reopen();
  EXPECT_EQ(store->lines(), 11);
  EXPECT_EQ(messages(LogFilter{}).size(), 11U);
  keepMany(11);
  EXPECT_EQ(messages(LogFilter{}).size(), 22U);
  EXPECT_EQ(messages(with("line3 ")).size(), 2U);
  EXPECT_THAT(files(), ElementsAre("00000001.sqlite"));
}

TEST_F(RecordFiles, go_on_with_the_size_of_blocks_they_were_begun_with) {
  const auto numbered = [](int i) {
    return log(i, "line", "info", "audience", fmt::format(R"(,"number":{})", 1'000 + i));
  };
  for (int i = 0; i < 21; ++i) keep({numbered(i)});
  options.blocks = {16, 3};
  reopen();
  for (int i = 21; i < 80; ++i) keep({numbered(i)});
  EXPECT_THAT(files(), ElementsAre("00000001.sqlite"));
  for (int i = 0; i < 80; ++i) {
    EXPECT_EQ(messages(with(fmt::format("{}", 1'000 + i))).size(), 1U) << i;
  }
}

TEST_F(RecordFiles, are_begun_anew_by_lines_and_by_age) {
  options.segmentLines = 10;
  reopen();
  keepMany(25);
  EXPECT_EQ(store->segments(), 3U);
  EXPECT_EQ(messages(LogFilter{}).size(), 25U);
  clock.advance(options.segmentAge);
  keepMany(1);
  EXPECT_EQ(store->segments(), 4U);
}

TEST_F(RecordFiles, that_are_too_old_go) {
  options.keepFor = Duration{3 * kUsPerDay};
  reopen();
  for (int day = 0; day < 6; ++day) {
    keep({log(-day * 86'400, fmt::format("day{}", day))});
    clock.advance(Duration{kUsPerDay});
  }
  EXPECT_THAT(messages(LogFilter{}), ElementsAre("day5", "day4", "day3", "day2"));
  EXPECT_EQ(files().size(), 4U);
  clock.advance(Duration{30 * kUsPerDay});
  reopen();
  EXPECT_EQ(store->lines(), 0);
}

TEST_F(RecordFiles, go_in_time_even_with_a_line_from_the_future) {
  options.keepFor = Duration{3 * kUsPerDay};
  reopen();
  keep({log(-365 * 86'400, "future")});
  clock.advance(Duration{5 * kUsPerDay});
  keep({log(-5 * 86'400, "now")});
  EXPECT_THAT(messages(LogFilter{}), ElementsAre("now"));
}

TEST_F(RecordFiles, that_are_too_much_go_the_oldest_first) {
  options.mostBytes = 1024 * 1024;
  options.segmentLines = 50;
  reopen();
  for (int batch = 0; batch < 120; ++batch) {
    std::vector<std::string> lines;
    for (int i = 0; i < 20; ++i)
      lines.push_back(log(-batch, fmt::format("line{}", batch * 20 + i)));
    keep(lines);
    EXPECT_LE(store->bytes(), options.mostBytes);
  }
  EXPECT_GT(store->lines(), 100);
  EXPECT_LT(store->lines(), 2'000);
  EXPECT_EQ(messages(with("line2399 ")).size(), 1U);
  EXPECT_EQ(messages(with("line0 ")).size(), 0U);
  EXPECT_EQ(files().size(), store->segments());
}

TEST_F(RecordFiles, that_are_damaged_are_set_aside_at_the_start) {
  options.segmentLines = 10;
  reopen();
  keepMany(25);
  store.reset();
  spoil("00000001.sqlite", 0);
  std::ofstream(path("00000002.sqlite"), std::ios::trunc);
  reopen();
  EXPECT_EQ(messages(LogFilter{}).size(), 5U);
  EXPECT_THAT(files(), UnorderedElementsAre("00000003.sqlite", "damaged.sqlite"));
  keepMany(3);
  EXPECT_EQ(messages(LogFilter{}).size(), 8U);
}

TEST_F(RecordFiles, that_turn_out_damaged_when_they_are_read_are_set_aside) {
  options.segmentLines = 40;
  reopen();
  keepMany(90);
  store.reset();
  spoil("00000001.sqlite", 3 * 4096);
  reopen();
  EXPECT_EQ(messages(LogFilter{}).size() + messages(with("line5 ")).size(), 50U);
  EXPECT_THAT(files(), testing::Contains("damaged.sqlite"));
  EXPECT_EQ(store->segments(), 2U);
}

TEST_F(RecordFiles, that_turn_out_damaged_when_they_are_written_are_replaced) {
  keepMany(20);
  store.reset();
  spoil("00000001.sqlite", 4096);
  reopen();
  for (int i = 0; i < 10; ++i) keep({log(0, "after")});
  EXPECT_EQ(messages(with("after ")).size(), 10U);
}

TEST_F(RecordFiles, of_a_machine_that_was_started_anew_are_read_and_not_written) {
  keepMany(10);
  store.reset();
  db::connect(db::Url::parse("sqlite:" + path("00000001.sqlite")))
      ->exec("UPDATE about SET boot = 'another'");
  reopen();
  keepMany(1);
  EXPECT_EQ(messages(LogFilter{}).size(), 11U);
  EXPECT_EQ(store->segments(), 2U);
}

TEST_F(RecordFiles, of_another_release_are_left_alone) {
  keepMany(10);
  store.reset();
  db::connect(db::Url::parse("sqlite:" + path("00000001.sqlite")))
      ->exec("UPDATE about SET format = 1000");
  reopen();
  keepMany(2);
  EXPECT_EQ(messages(LogFilter{}).size(), 2U);
  EXPECT_THAT(files(), UnorderedElementsAre("00000001.sqlite", "00000002.sqlite"));
}

TEST_F(RecordFiles, of_an_earlier_release_may_look_otherwise_and_are_left_alone) {
  keepMany(10);
  store.reset();
  const auto earlier = db::connect(db::Url::parse("sqlite:" + path("00000001.sqlite")));
  earlier->exec("DROP TABLE mark");
  earlier->exec("ALTER TABLE about DROP COLUMN block_lines");
  earlier->exec("UPDATE about SET format = 1");
  reopen();
  keepMany(2);
  EXPECT_EQ(messages(LogFilter{}).size(), 2U);
  EXPECT_THAT(files(), UnorderedElementsAre("00000001.sqlite", "00000002.sqlite"));
}

TEST_F(RecordFiles, others_in_the_directory_are_left_alone) {
  for (const auto* name : {"notes.txt", "1.sqlite", "0000000x.sqlite", "00000001.sqlite.bak"}) {
    std::ofstream(path(name)) << "mine";
  }
  reopen();
  keepMany(1);
  EXPECT_EQ(store->segments(), 1U);
  EXPECT_TRUE(std::filesystem::exists(path("notes.txt")));
}

TEST_F(RecordFiles, that_cannot_grow_keep_nothing_of_a_batch_and_go_on_later) {
  keepMany(3);
  std::vector<std::string> batch;
  for (int i = 0; i < 50; ++i) batch.push_back(log(0, "later " + std::string(2'000, 'x')));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{16 * 1024, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(keep(batch), db::Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(messages(LogFilter{}).size(), 3U);
  keep(batch);
  EXPECT_EQ(messages(LogFilter{}).size(), 53U);
}

TEST_F(RecordFiles, are_read_while_they_are_written_and_no_half_batch_is_seen) {
  constexpr std::size_t kBatch = 7;
  options.segmentLines = 300;
  reopen();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      std::vector<std::string> batch;
      for (std::size_t n = 0; n < kBatch; ++n) batch.push_back(log(-i, "line"));
      keep(batch);
    }
  });
  std::size_t seen = 0;
  for (int i = 0; i < 100 || seen < 400; ++i) {
    const LogFilter filter;
    const auto found = store->find(everything(filter, 100'000));
    EXPECT_EQ(found.lines.size() % kBatch, 0U);
    EXPECT_GE(found.lines.size(), seen);
    seen = found.lines.size();
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace tipflow::console
