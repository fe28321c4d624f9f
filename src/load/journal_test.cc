#include "load/journal.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tipflow::load {
namespace {

TEST(Journal, has_a_line_of_json_for_each_tip) {
  std::string line;
  const Choice choice{.viewer = 0, .room = 0, .amount = Fen{990}, .giftId = 4, .count = 1};
  appendLine(line, {{1, 2}, 9, 1012, "created", 8'589'934'593}, choice);
  EXPECT_EQ(line, R"({"traceId":"00000000000000010000000000000002","viewerId":9,"roomId":1012,)"
                  R"("amount":990,"giftId":4,"count":1,"outcome":"created","tipId":8589934593})"
                  "\n");
  line.clear();
  appendLine(line, {{1, 2}, 9, 1012, "unknown", 0}, choice);
  EXPECT_NE(line.find(R"("outcome":"unknown","tipId":null})"), std::string::npos);
}

TEST(Journal, reaches_its_file_whole) {
  std::string directory = testing::TempDir() + "journalXXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const auto path = directory + "/record";
  constexpr int kLines = 5'000;
  {
    JournalFile file(path);
    Journal journal(&file);
    for (int i = 0; i < kLines; ++i) {
      journal.add({{0, static_cast<std::uint64_t>(i)}, 9, 1012, "exists", i + 1}, {});
    }
    journal.flush();
  }
  std::ifstream in(path);
  std::string line;
  int lines = 0;
  while (std::getline(in, line)) {
    ++lines;
    EXPECT_TRUE(line.ends_with(R"("tipId":)" + std::to_string(lines) + "}")) << line;
  }
  EXPECT_EQ(lines, kLines);
  std::filesystem::remove_all(directory);
}

TEST(Journal, says_when_its_file_cannot_be_written) {
  EXPECT_THROW(JournalFile("/nowhere/at/all"), std::runtime_error);
}

}  // namespace
}  // namespace tipflow::load
