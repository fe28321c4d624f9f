#include "platform/db/durability.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tipflow::db {
namespace {

const DurabilitySettings kSoundServer{{"innodb_flush_log_at_trx_commit", "1"},
                                      {"innodb_doublewrite", "on"},
                                      {"innodb_flush_method", "o_direct"},
                                      {"log_bin", "off"},
                                      {"sync_binlog", "0"}};
const DurabilitySettings kSoundSqlite{
    {"journal_mode", "wal"}, {"synchronous", "2"}, {"medium", "disk"}};

using Names = std::vector<std::string>;

// The settings found at fault, when `changes` are made to sound ones.
Names faults(Dialect dialect, const DurabilitySettings& changes) {
  auto settings = dialect == Dialect::mysql ? kSoundServer : kSoundSqlite;
  for (const auto& [name, value] : changes) settings[name] = value;
  Names names;
  for (const auto& fault : durabilityFaults(dialect, settings)) names.push_back(fault.setting);
  return names;
}
Names server(const DurabilitySettings& changes) { return faults(Dialect::mysql, changes); }
Names sqlite(const DurabilitySettings& changes) { return faults(Dialect::sqlite, changes); }

TEST(Durability, of_sound_settings_has_no_fault) {
  EXPECT_EQ(server({}), Names{});
  EXPECT_EQ(sqlite({}), Names{});
  EXPECT_EQ(sqlite({{"synchronous", "3"}}), Names{});
}

TEST(Durability, needs_the_log_synced_at_each_commit) {
  const Names fault{"innodb_flush_log_at_trx_commit"};
  EXPECT_EQ(server({{"innodb_flush_log_at_trx_commit", "0"}}), fault);
  EXPECT_EQ(server({{"innodb_flush_log_at_trx_commit", "2"}}), fault);
  EXPECT_EQ(server({{"innodb_flush_log_at_trx_commit", "3"}}), Names{});
}

TEST(Durability, needs_a_synced_binary_log_where_recovery_rests_on_it) {
  EXPECT_EQ(server({{"log_bin", "on"}, {"sync_binlog", "0"}}), Names{"sync_binlog"});
  EXPECT_EQ(server({{"log_bin", "on"}, {"sync_binlog", "100"}}), Names{"sync_binlog"});
  EXPECT_EQ(server({{"log_bin", "on"}, {"sync_binlog", "1"}}), Names{});
  EXPECT_EQ(server({{"log_bin", "off"}, {"sync_binlog", "0"}}), Names{});
  // Here the commit itself is synced, not only its preparation.
  EXPECT_EQ(
      server({{"log_bin", "on"}, {"sync_binlog", "0"}, {"innodb_flush_log_at_trx_commit", "3"}}),
      Names{});
}

TEST(Durability, needs_half_written_pages_to_be_repairable) {
  EXPECT_EQ(server({{"innodb_doublewrite", "off"}}), Names{"innodb_doublewrite"});
  EXPECT_EQ(server({{"innodb_doublewrite", "detect_only"}}), Names{"innodb_doublewrite"});
  EXPECT_EQ(server({{"innodb_doublewrite", "detect_and_recover"}}), Names{});
  EXPECT_EQ(server({{"innodb_doublewrite", "fast"}}), Names{});
}

TEST(Durability, needs_a_server_that_syncs_and_keeps_a_redo_log) {
  EXPECT_EQ(server({{"innodb_flush_method", "nosync"}}), Names{"innodb_flush_method"});
  EXPECT_EQ(server({{"innodb_flush_method", "fsync"}}), Names{});
  EXPECT_EQ(server({{"innodb_redo_log_enabled", "off"}}), Names{"innodb_redo_log_enabled"});
  EXPECT_EQ(server({{"innodb_redo_log_enabled", "on"}}), Names{});
}

TEST(Durability, of_a_group_needs_a_majority_for_each_commit) {
  const std::string options =
      "base_dir = /data/; pc.ignore_quorum = {}; pc.ignore_sb = {};pc.npvo=x";
  const auto group = [&](std::string_view quorum, std::string_view brain) {
    return server(groupSettings(fmt::format(fmt::runtime(options), quorum, brain)));
  };
  EXPECT_EQ(group("false", "false"), Names{});
  EXPECT_EQ(group("true", "false"), Names{"pc.ignore_quorum"});
  EXPECT_EQ(group("NO", "YES"), Names{"pc.ignore_sb"});
  EXPECT_EQ(group("1", "on"), (Names{"pc.ignore_quorum", "pc.ignore_sb"}));
  EXPECT_EQ(groupSettings(""), DurabilitySettings{});
  EXPECT_EQ(groupSettings("pc.ignore_sb"), DurabilitySettings{});
}

TEST(Durability, of_a_server_that_does_not_say_is_not_taken_for_granted) {
  const auto found = durabilityFaults(Dialect::mysql, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].setting, "innodb_flush_log_at_trx_commit");
  EXPECT_EQ(found[0].value, "unknown");
}

TEST(Durability, of_sqlite_needs_full_syncs_a_wal_and_a_disk) {
  EXPECT_EQ(sqlite({{"synchronous", "1"}}), Names{"synchronous"});
  EXPECT_EQ(sqlite({{"synchronous", "0"}}), Names{"synchronous"});
  EXPECT_EQ(sqlite({{"journal_mode", "delete"}}), Names{"journal_mode"});
  EXPECT_EQ(sqlite({{"journal_mode", "memory"}, {"medium", "memory"}}),
            (Names{"journal_mode", "medium"}));
}

TEST(Durability, names_every_fault_at_once) {
  EXPECT_EQ(server({{"innodb_flush_log_at_trx_commit", "2"},
                    {"log_bin", "on"},
                    {"innodb_doublewrite", "off"},
                    {"innodb_flush_method", "nosync"}}),
            (Names{"innodb_flush_log_at_trx_commit", "sync_binlog", "innodb_doublewrite",
                   "innodb_flush_method"}));
}

TEST(Durability, says_what_is_set_what_must_be_and_how_to_set_it) {
  const auto found = durabilityFaults(Dialect::mysql, {{"innodb_flush_log_at_trx_commit", "2"}});
  ASSERT_EQ(found.size(), 1U);
  const auto text = found[0].shown();
  EXPECT_NE(text.find("innodb_flush_log_at_trx_commit is 2, must be 1"), std::string::npos) << text;
  EXPECT_NE(text.find("SET GLOBAL innodb_flush_log_at_trx_commit = 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace tipflow::db
