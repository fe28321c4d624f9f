// The checker of I1 to I3: silent about honest answers, and every kind of lie has its finding.
#include "audit/outcomes.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

namespace tipflow::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Broken = std::set<std::string>;

constexpr TraceId kTrace{7, 1};
constexpr TipContent kContent{901, 1'000'031, 500, 3, 2};

TipContent changed(void (*change)(TipContent&)) {
  TipContent content = kContent;
  change(content);
  return content;
}

ClientEntry told(Told told, std::int64_t tipId = 0, TipContent content = kContent) {
  return {kTrace, content, told, tipId};
}

class AuditedOutcomes : public ::testing::Test {
 protected:
  void entries(std::initializer_list<ClientEntry> list) {
    for (const auto& entry : list) outcomes.addEntry(entry);
  }
  void row(std::int64_t tipId = 77, TipContent content = kContent, TraceId traceId = kTrace) {
    outcomes.addRow({traceId, content, tipId});
  }
  Broken broken() {
    findings = outcomes.findings();
    Broken ids;
    for (const auto& finding : findings) {
      EXPECT_EQ(finding.examples.empty(), finding.faults == 0) << finding.id;
      if (finding.faults != 0) ids.insert(finding.id);
    }
    return ids;
  }

  Outcomes outcomes;
  std::vector<Finding> findings;
};

TEST_F(AuditedOutcomes, are_sound_when_nothing_was_asked) {
  row();
  EXPECT_EQ(broken(), Broken{});
  EXPECT_THAT(findings, ElementsAre(::testing::Field(&Finding::id, "I1"),
                                    ::testing::Field(&Finding::id, "I2"),
                                    ::testing::Field(&Finding::id, "I3")));
}

TEST_F(AuditedOutcomes, are_sound_when_each_tip_stands_as_it_was_told) {
  const auto other = changed([](TipContent& c) { c.amount = 1; });
  entries({told(Told::unknown), told(Told::unavailable), told(Told::created, 77),
           told(Told::exists, 77), told(Told::exists), told(Told::conflict, 0, other),
           told(Told::refused, 0, other)});
  row();
  EXPECT_EQ(broken(), Broken{});
  EXPECT_EQ(findings[0].figures, "1 created, 2 exists; 1 traceIds asked for, 1 stand");
  EXPECT_EQ(findings[1].figures, "1 unknown, 1 unavailable, 1 refused");
  EXPECT_EQ(findings[2].figures, "1 conflicts");
}

TEST_F(AuditedOutcomes, let_an_unknown_tip_stand_or_not) {
  entries({told(Told::unknown), {{7, 2}, kContent, Told::unknown, 0}});
  row();
  EXPECT_EQ(broken(), Broken{});
}

TEST_F(AuditedOutcomes, may_be_seen_in_any_order) {
  entries({told(Told::exists, 77),
           {{3, 0}, kContent, Told::created, 5},
           told(Told::created, 77),
           {{9, 9}, kContent, Told::unavailable, 0}});
  row();
  row(5, kContent, {3, 0});
  EXPECT_EQ(broken(), Broken{});
}

// I1 ------------------------------------------------------------------------------------------

TEST_F(AuditedOutcomes, miss_a_tip_that_was_acknowledged) {
  for (const Told word : {Told::created, Told::exists}) {
    outcomes = {};
    entries({told(Told::unknown), told(word, 77)});
    EXPECT_EQ(broken(), Broken{"I1"});
    EXPECT_THAT(findings[0].examples, ElementsAre(HasSubstr(kTrace.hex())));
  }
}

TEST_F(AuditedOutcomes, see_a_tip_that_stands_twice) {
  for (const Told word : {Told::created, Told::unknown}) {
    outcomes = {};
    entries({told(word)});
    row(77);
    row(78);
    EXPECT_EQ(broken(), Broken{"I1"});
  }
}

TEST_F(AuditedOutcomes, see_each_field_in_which_a_tip_differs_from_what_was_acknowledged) {
  for (const auto change :
       {+[](TipContent& c) { ++c.viewerId; }, +[](TipContent& c) { ++c.roomId; },
        +[](TipContent& c) { ++c.amount; }, +[](TipContent& c) { ++c.giftId; },
        +[](TipContent& c) { ++c.count; }}) {
    outcomes = {};
    entries({told(Told::created, 77)});
    row(77, changed(change));
    EXPECT_TRUE(broken().contains("I1"));
  }
}

TEST_F(AuditedOutcomes, see_a_tip_that_stands_under_another_id_than_was_told) {
  entries({told(Told::created, 77)});
  row(78);
  EXPECT_EQ(broken(), Broken{"I1"});
}

// I2 ------------------------------------------------------------------------------------------

TEST_F(AuditedOutcomes, see_a_tip_that_stands_though_it_was_told_not_to) {
  for (const Told word : {Told::unavailable, Told::refused}) {
    outcomes = {};
    entries({told(word)});
    row();
    EXPECT_EQ(broken(), Broken{"I2"});
  }
}

TEST_F(AuditedOutcomes, see_a_content_that_nobody_asked_for) {
  entries({told(Told::unknown)});
  row(77, changed([](TipContent& c) { c.amount = 499; }));
  EXPECT_EQ(broken(), Broken{"I2"});
}

TEST_F(AuditedOutcomes, do_not_take_the_unknown_of_one_content_for_that_of_another) {
  const auto other = changed([](TipContent& c) { c.count = 9; });
  entries({told(Told::unknown, 0, other), told(Told::unavailable)});
  row();
  EXPECT_EQ(broken(), Broken{"I2"});
}

// I3 ------------------------------------------------------------------------------------------

TEST_F(AuditedOutcomes, see_a_tip_that_was_created_twice) {
  entries({told(Told::created, 77), told(Told::created, 77)});
  row();
  EXPECT_EQ(broken(), Broken{"I3"});
}

TEST_F(AuditedOutcomes, see_two_ids_for_one_traceId) {
  entries({told(Told::created, 77), told(Told::exists), told(Told::exists, 78)});
  row();
  EXPECT_EQ(broken(), (Broken{"I1", "I3"}));
}

TEST_F(AuditedOutcomes, see_two_contents_for_one_traceId) {
  entries({told(Told::created, 77),
           told(Told::exists, 77, changed([](TipContent& c) { c.amount = 1; }))});
  row();
  EXPECT_EQ(broken(), (Broken{"I1", "I3"}));
}

TEST_F(AuditedOutcomes, see_a_conflict_with_the_same_content) {
  entries({told(Told::created, 77), told(Told::conflict)});
  row();
  EXPECT_EQ(broken(), Broken{"I3"});
}

TEST_F(AuditedOutcomes, see_a_conflict_with_nothing) {
  entries({told(Told::conflict)});
  EXPECT_EQ(broken(), Broken{"I3"});
}

TEST_F(AuditedOutcomes, count_all_faults_and_show_the_first_few) {
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    outcomes.addEntry({{1, i}, kContent, Told::created, static_cast<std::int64_t>(i + 1)});
  }
  for (std::uint64_t i = 0; i < 900; ++i) row(static_cast<std::int64_t>(i + 1), kContent, {1, i});
  EXPECT_EQ(broken(), Broken{"I1"});
  EXPECT_EQ(findings[0].faults, 100);
  EXPECT_EQ(findings[0].examples.size(), 5U);
}

}  // namespace
}  // namespace tipflow::audit
