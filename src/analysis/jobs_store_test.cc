// The sums and the rounds on both databases: exact whatever breaks off, whoever works beside them,
// and under whichever lease; readers see one round and never parts of two.
#include "analysis/jobs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "analysis/portrait_store.h"
#include "analysis/sum_store.h"
#include "store/test_ledger.h"

namespace tipflow::analysis {
namespace {

using fixture::number;
using ::testing::IsEmpty;

constexpr const char* kZone = "Asia/Shanghai";

/// Where a run of a job is cut off, as by a crash.
class Crash : public std::runtime_error {
 public:
  Crash() : std::runtime_error("crash") {}
};

/// A connection that is cut before the n-th call, or behind it when that is a commit.
class CutConnection final : public db::Connection {
 public:
  CutConnection(std::unique_ptr<db::Connection> inner, int callsLeft)
      : inner_(std::move(inner)), callsLeft_(callsLeft) {}
  [[nodiscard]] bool wasCut() const { return cut_; }

  [[nodiscard]] db::Dialect dialect() const override { return inner_->dialect(); }
  db::ExecResult exec(std::string_view sql, std::span<const db::Param> params) override {
    step();
    return inner_->exec(sql, params);
  }
  void query(std::string_view sql, std::span<const db::Param> params,
             const db::RowHandler& onRow) override {
    step();
    inner_->query(sql, params, onRow);
  }
  void insertRows(std::string_view head, std::size_t columns, std::span<const db::Param> values,
                  std::string_view tail) override {
    step();
    inner_->insertRows(head, columns, values, tail);
  }
  void begin() override {
    step();
    inner_->begin();
  }
  void beginSnapshot() override {
    step();
    inner_->beginSnapshot();
  }
  void commit() override {
    step();
    inner_->commit();
    step();
  }
  void rollback() noexcept override { inner_->rollback(); }
  [[nodiscard]] std::int64_t serverId() const override { return inner_->serverId(); }
  Time now() override { return inner_->now(); }
  using Connection::exec;
  using Connection::query;

 private:
  void step() {
    if (callsLeft_-- > 0) return;
    cut_ = true;
    throw Crash();
  }

  std::unique_ptr<db::Connection> inner_;
  int callsLeft_;
  bool cut_ = false;
};

class CutWork final : public Work {
 public:
  CutWork(const fixture::TestDatabase& database, int calls)
      : connection_(database.connect(), calls) {}
  db::Connection& connection() override { return connection_; }
  void write(const std::function<void(db::Connection&)>& step) override {
    db::transact(connection_, step);
  }
  bool shouldStop() override { return false; }
  void add(std::int64_t) override {}
  [[nodiscard]] bool wasCut() const { return connection_.wasCut(); }

 private:
  CutConnection connection_;
};

/// Does something else before one of its transactions.
class InterruptedWork final : public PlainWork {
 public:
  InterruptedWork(const fixture::TestDatabase& database, int at, std::function<void()> meanwhile)
      : PlainWork(database), at_(at), meanwhile_(std::move(meanwhile)) {}
  void write(const std::function<void(db::Connection&)>& step) override {
    if (at_-- == 0) meanwhile_();
    PlainWork::write(step);
  }
  [[nodiscard]] bool happened() const { return at_ < 0; }

 private:
  int at_;
  std::function<void()> meanwhile_;
};

TEST(ChunkSize, grows_while_chunks_are_quickly_written_and_shrinks_when_they_take_long) {
  ChunkSize size(100, 300);
  const auto after = [&](Duration time) {
    size.took(time);
    return size.sums();
  };
  const Duration quick{100'000};
  const Duration fine{3'000'000};
  const Duration slow{9'000'000};
  EXPECT_EQ(size.sums(), 100);
  EXPECT_EQ(after(quick), 200);
  EXPECT_EQ(after(fine), 200);
  EXPECT_EQ(after(quick), 300);
  EXPECT_EQ(after(slow), 150);
  EXPECT_EQ(after(slow), 100);
}

TEST(NextSlice, shares_what_is_missing_among_the_lanes) {
  const store::LaneMarks progress{{LaneId{1}, LaneSeq{10}}, {LaneId{2}, LaneSeq{7}}};
  const store::LaneMarks cutoff{{LaneId{1}, LaneSeq{110}},
                                {LaneId{2}, LaneSeq{7}},
                                {LaneId{3}, LaneSeq{5}},
                                {LaneId{4}, LaneSeq{100}}};
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> spans;
  for (const auto& span : nextSlice(progress, cutoff, 65)) {
    spans[span.lane.value] = {span.after.value, span.to.value};
  }
  const decltype(spans) expected{{1, {10, 40}}, {3, {0, 5}}, {4, {0, 30}}};
  EXPECT_EQ(spans, expected);
}

TEST(NextSlice, goes_on_where_there_are_more_lanes_than_tips_in_a_slice) {
  store::LaneMarks cutoff;
  for (std::int64_t lane = 1; lane <= 10; ++lane) cutoff[LaneId{lane}] = LaneSeq{2};
  std::int64_t tips = 0;
  for (const auto& span : nextSlice({}, cutoff, 3)) tips += span.tips();
  EXPECT_EQ(tips, 3);
  EXPECT_TRUE(nextSlice(cutoff, cutoff, 3).empty());
}

class AnalysisJobs : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void catchUp() {
    PlainWork work(database);
    ASSERT_TRUE(sums.run(work));
  }
  void round() {
    PlainWork work(database);
    ASSERT_TRUE(rounds.run(work));
  }
  std::int64_t counted() { return number(*c, "SELECT COALESCE(SUM(tips), 0) FROM hourly_tip"); }
  std::optional<std::int64_t> published() {
    const auto round = store::publishedRound(*c);
    return round ? std::optional(round->number) : std::nullopt;
  }
  void expectAllCounted() {
    EXPECT_EQ(counted(), static_cast<std::int64_t>(ledger.tips().size()));
    EXPECT_THAT(faultsIn(*c, days), IsEmpty());
    EXPECT_EQ(store::disagreement(*c), 0);
  }

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
  TestLedger ledger{*c};
  BusinessTime days{kZone};
  CatchUp sums{days, {.sumsAtOnce = 37}};
  Rounds rounds{sums, 7};
};
TIPFLOW_ON_BOTH(AnalysisJobs);

// Sums --------------------------------------------------------------------------------------------

TEST_P(AnalysisJobs, of_an_empty_ledger_make_empty_sums_and_a_round_of_nobody) {
  catchUp();
  round();
  expectAllCounted();
  EXPECT_EQ(published(), 1);
  EXPECT_EQ(store::publishedRound(*c)->viewers, 0);
  EXPECT_GT(store::state(*c).asOf, Time{});
}

TEST_P(AnalysisJobs, count_every_tip_once_in_chunks_and_as_it_comes) {
  ledger.add(1, 100);
  ledger.add(2, 150);
  catchUp();
  expectAllCounted();
  catchUp();
  expectAllCounted();
  ledger.add(2, 1);
  ledger.add(5, 80);
  catchUp();
  expectAllCounted();
}

TEST_P(AnalysisJobs, make_the_cube_that_a_direct_sum_over_the_ledger_makes) {
  ledger.add(1, 300);
  ledger.add(2, 200);
  catchUp();
  const std::vector<std::string> cube{"hour",   "anchor_id", "anchor_gender", "viewer_gender",
                                      "amount", "tips",      "anchor_units"};
  const std::vector<std::string> direct{"accepted_at - accepted_at % 3600000000",
                                        "anchor_id",
                                        "anchor_gender",
                                        "viewer_gender",
                                        "SUM(amount)",
                                        "COUNT(*)",
                                        "SUM(anchor_units)"};
  EXPECT_EQ(fixture::rows(*c, cube, "hourly_tip ORDER BY 1, 2, 3, 4"),
            fixture::rows(*c, direct, "ledger GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"));
  EXPECT_EQ(
      fixture::rows(*c, {"viewer_id", "total", "tips", "first_at", "last_at"},
                    "viewer_total ORDER BY 1"),
      fixture::rows(
          *c, {"viewer_id", "SUM(amount)", "COUNT(*)", "MIN(accepted_at)", "MAX(accepted_at)"},
          "ledger GROUP BY 1 ORDER BY 1"));
}

TEST_P(AnalysisJobs, stay_exact_wherever_the_catch_up_is_cut) {
  ledger.add(1, 60);
  int calls = 0;
  for (bool cut = true; cut; ++calls) {
    ledger.add(calls % 2 == 0 ? 2 : 3, 3);
    CutWork work(database, calls);
    try {
      sums.run(work);
    } catch (const Crash&) {
    }
    cut = work.wasCut();
    ASSERT_THAT(faultsIn(*c, days), IsEmpty()) << "cut before call " << calls;
  }
  EXPECT_GT(calls, 20) << "there were that many points to cut at";
  catchUp();
  expectAllCounted();
}

TEST_P(AnalysisJobs, refuse_a_ledger_with_a_hole) {
  ledger.add(1, 10);
  c->exec("DELETE FROM ledger WHERE tip_id = ?", {(std::int64_t{1} << 33) + 4});
  PlainWork work(database);
  EXPECT_THROW(sums.run(work), BrokenInvariant);
  EXPECT_EQ(counted(), 0);
}

TEST_P(AnalysisJobs, add_up_once_when_several_nodes_work_at_the_same_time) {
  for (int batch = 0; batch < 5; ++batch) {
    ledger.add(1 + batch % 3, 120);
    fixture::atOnce(4, [&](int node) {
      PlainWork work(database);
      const CatchUp own(days, {.sumsAtOnce = 37});  // each node has its own
      if (node == 3) {
        Rounds(own, 7).run(work);
      } else {
        own.run(work);
      }
    });
    expectAllCounted();
  }
  EXPECT_EQ(published(), 5);
}

TEST_P(AnalysisJobs, add_up_once_when_both_jobs_of_a_node_work_at_the_same_time) {
  for (int batch = 0; batch < 5; ++batch) {
    ledger.add(1 + batch % 3, 120);
    fixture::atOnce(4, [&](int worker) {
      PlainWork work(database);
      if (worker == 0) {
        rounds.run(work);
      } else {
        sums.run(work);
      }
    });
    expectAllCounted();
  }
  EXPECT_EQ(published(), 5);
}

TEST_P(AnalysisJobs, stop_between_chunks_when_told_to) {
  ledger.add(1, 100);
  PlainWork work(database);
  work.stop = true;
  EXPECT_FALSE(sums.run(work));
  EXPECT_FALSE(rounds.run(work));
  EXPECT_EQ(published(), std::nullopt);
  EXPECT_THAT(faultsIn(*c, days), IsEmpty());
}

TEST_P(AnalysisJobs, say_of_a_tip_when_the_sums_held_it_at_the_latest) {
  ledger.add(1, 20);
  const TipId counted = tipIdOf(LaneId{1}, LaneSeq{20});
  EXPECT_EQ(store::countedBy(*c, counted), std::nullopt);
  const auto before = c->now();
  catchUp();
  const auto by = store::countedBy(*c, counted);
  ASSERT_TRUE(by);
  EXPECT_GE(*by, before);
  EXPECT_LE(*by, c->now());
  EXPECT_EQ(store::countedBy(*c, tipIdOf(LaneId{1}, LaneSeq{1})), by);
  EXPECT_EQ(store::countedBy(*c, tipIdOf(LaneId{1}, LaneSeq{21})), std::nullopt);
  EXPECT_EQ(store::countedBy(*c, tipIdOf(LaneId{9}, LaneSeq{1})), std::nullopt);
}

TEST_P(AnalysisJobs, are_complete_until_the_newest_tip_of_a_lane_that_is_being_settled) {
  const auto now = c->now();
  ledger.add(1, 20);
  const auto newest = ledger.tips().back().acceptedAt;
  catchUp();
  EXPECT_EQ(store::state(*c).asOf, Time{newest}) << "lane 1 was just settled that far";
  // Later nothing has moved: all there is settles within two seconds.
  c->exec("UPDATE analysis_progress SET moved_at = moved_at - 60000000");
  catchUp();
  EXPECT_GT(store::state(*c).asOf, now - Duration{5 * kUsPerSecond});
  EXPECT_LT(store::state(*c).asOf, c->now() - Duration{kUsPerSecond});
}

TEST_P(AnalysisJobs, are_added_up_anew_when_days_are_cut_by_another_zone) {
  ledger.add(1, 200);
  catchUp();
  const auto before = fixture::dump(*c, {"daily_tip"});
  const BusinessTime other("America/New_York");
  const CatchUp elsewhere(other, {.sumsAtOnce = 37});
  PlainWork work(database);
  ASSERT_TRUE(elsewhere.run(work));
  EXPECT_THAT(faultsIn(*c, other), IsEmpty());
  EXPECT_NE(fixture::dump(*c, {"daily_tip"}), before);
  EXPECT_EQ(counted(), 200);
  const BusinessTime back(kZone);
  PlainWork again(database);
  ASSERT_TRUE(CatchUp(back, {.sumsAtOnce = 37}).run(again));
  EXPECT_THAT(faultsIn(*c, back), IsEmpty());
  EXPECT_EQ(counted(), 200);
}

TEST_P(AnalysisJobs, show_no_agreement_that_is_not_there) {
  ledger.add(1, 50);
  catchUp();
  ASSERT_EQ(store::disagreement(*c), 0);
  for (const char* harm :
       {"UPDATE viewer_total SET total = total + 1 WHERE viewer_id = (SELECT MIN(viewer_id) FROM "
        "ledger)",
        "UPDATE daily_tip SET tips = tips - 1", "DELETE FROM hourly_sum",
        "UPDATE analysis_progress SET last_seq = last_seq + 1"}) {
    c->begin();
    c->exec(harm);
    EXPECT_GT(store::disagreement(*c), 0) << harm;
    c->rollback();
  }
}

// Rounds ------------------------------------------------------------------------------------------

TEST_P(AnalysisJobs, rank_everyone_by_what_they_gave_up_to_the_cutoff) {
  for (std::int64_t viewer = 1; viewer <= 10; ++viewer) {
    ledger.give(1, viewer, viewer <= 2 ? 50 : viewer);
  }
  round();
  const auto first = store::portrait(*c, ViewerId{1});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->total, Fen{50});
  EXPECT_EQ(first->rank, 1);
  EXPECT_EQ(first->viewers, 10);
  EXPECT_EQ(first->tier, Tier::high);
  EXPECT_EQ(store::portrait(*c, ViewerId{10})->tier, Tier::middle) << "rank 3 of 10";
  EXPECT_EQ(store::portrait(*c, ViewerId{4})->tier, Tier::low) << "rank 9 of 10";
  EXPECT_EQ(store::portrait(*c, ViewerId{99})->tier, Tier::none);
  const auto tiers = store::tiers(*c, {ViewerId{1}, ViewerId{4}, ViewerId{99}});
  EXPECT_EQ(tiers.size(), 2U);
  EXPECT_EQ(tiers.at(ViewerId{4}), Tier::low);
  const auto bounds = store::tierSums(*c, 1);
  ASSERT_EQ(bounds.size(), 3U);
  EXPECT_EQ(bounds[0].total, Fen{100});
  EXPECT_EQ(bounds[2].most, Fen{4});
  expectAllCounted();
}

TEST_P(AnalysisJobs, know_no_portrait_before_the_first_round) {
  ledger.give(1, 1, 5);
  catchUp();
  EXPECT_FALSE(store::portrait(*c, ViewerId{1}));
  EXPECT_TRUE(store::tiers(*c, {ViewerId{1}}).empty());
}

TEST_P(AnalysisJobs, count_exactly_up_to_the_cutoff_though_the_sums_go_on) {
  ledger.add(1, 90);
  for (int at = 0; at < 12; ++at) {
    const auto viewers = ledger.totals().size();
    const auto tips = static_cast<std::int64_t>(ledger.tips().size());
    InterruptedWork work(database, at, [&] {
      ledger.add(2, 40);
      ledger.give(1, 777'000 + at, 1'000'000);  // somebody the cutoff does not know
      catchUp();
    });
    ASSERT_TRUE(rounds.run(work));
    if (!work.happened()) break;
    const auto round = store::publishedRound(*c);
    // The first writes of a round come before its cutoff.
    EXPECT_TRUE(round->tips == tips || round->tips == tips + 41) << at;
    if (round->tips == tips) {
      EXPECT_EQ(round->viewers, static_cast<std::int64_t>(viewers)) << at;
    }
    ASSERT_THAT(faultsIn(*c, days), IsEmpty()) << "sums went on before write " << at;
  }
}

TEST_P(AnalysisJobs, leave_the_old_round_visible_wherever_a_round_is_cut) {
  ledger.add(1, 40);
  round();
  int calls = 0;
  for (bool cut = true; cut; ++calls) {
    ledger.add(1, 2);
    const auto before = published();
    const auto seen = store::portrait(*c, ViewerId{1});
    CutWork work(database, calls);
    try {
      rounds.run(work);
    } catch (const Crash&) {
    }
    cut = work.wasCut();
    ASSERT_THAT(faultsIn(*c, days), IsEmpty()) << "cut before call " << calls;
    if (published() == before) {
      EXPECT_EQ(store::portrait(*c, ViewerId{1})->rank, seen->rank);
      EXPECT_EQ(store::portrait(*c, ViewerId{1})->round, *before);
    }
  }
  EXPECT_GT(calls, 30) << "there were that many points to cut at";
  round();
  expectAllCounted();
}

TEST_P(AnalysisJobs, keep_the_portraits_of_two_rounds_and_of_none_that_broke_off) {
  ledger.add(1, 100);
  for (int i = 0; i < 4; ++i) round();
  CutWork broken(database, 40);
  EXPECT_THROW(rounds.run(broken), Crash);
  const auto kept = [&] { return fixture::rows(*c, {"DISTINCT round"}, "portrait ORDER BY 1"); };
  ASSERT_EQ(kept().size(), 3U) << "the one that broke off has left some";
  round();
  EXPECT_EQ(kept(), (std::vector<std::string>{std::to_string(*published() - 2),
                                              std::to_string(*published())}));
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM portrait_round"), 6) << "their history stays";
}

TEST_P(AnalysisJobs, never_show_parts_of_two_rounds) {
  constexpr int kRounds = 12;
  // What each viewer has in each round: round n comes after tip n of everybody.
  const auto expected = [](std::int64_t viewer, std::int64_t round) { return viewer * round; };
  std::atomic<bool> over{false};
  std::atomic<std::int64_t> looks{0};
  std::vector<std::string> wrong;
  std::thread reader([&] {
    const auto own = database.connect();
    std::int64_t last = 0;
    for (std::int64_t viewer = 1; !over || viewer != 1; viewer = viewer % 20 + 1) {
      const auto seen = store::portrait(*own, ViewerId{viewer});
      if (!seen) continue;
      const bool sound = seen->round >= last && seen->viewers == 20 &&
                         seen->total == Fen{expected(viewer, seen->round)} &&
                         seen->tips == seen->round && seen->rank == 21 - viewer;
      if (!sound) {
        wrong.push_back(fmt::format("viewer {} in round {}: {} fen, rank {} of {}", viewer,
                                    seen->round, seen->total.value, seen->rank, seen->viewers));
      }
      last = seen->round;
      ++looks;
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    for (std::int64_t viewer = 1; viewer <= 20; ++viewer) ledger.give(1, viewer, viewer);
    round();
  }
  over = true;
  reader.join();
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(looks, kRounds);
  EXPECT_EQ(published(), kRounds);
}

// Leases ------------------------------------------------------------------------------------------

class AnalysisLeases : public AnalysisJobs {
 protected:
  schedule::JobSpec jobNamed(const std::string& name) {
    auto specs = jobs(pool, days, {Duration{kUsPerSecond}, Duration{kUsPerSecond}});
    return *std::find_if(specs.begin(), specs.end(),
                         [&](const schedule::JobSpec& spec) { return spec.name == name; });
  }
  std::optional<schedule::Taken> take(const schedule::JobSpec& spec, const char* node,
                                      Duration length) {
    schedule::store::addJob(*c, {spec.name, spec.role, spec.every});
    return schedule::store::take(*c, spec.name, {node, node}, length);
  }

  db::Database pool{"DB2", database.url(), {1}};
  std::atomic<bool> leaving{false};
};
TIPFLOW_ON_BOTH(AnalysisLeases);

TEST_P(AnalysisLeases, let_the_other_node_take_over_and_the_dead_one_write_nothing) {
  for (const auto* name : {kHourlyJob, kRoundJob}) {
    ledger.add(1, 50);
    const auto spec = jobNamed(name);
    const auto dead = take(spec, "dead", Duration{1'000});
    ASSERT_TRUE(dead) << name;
    std::optional<schedule::Taken> next;
    ASSERT_TRUE(fixture::eventually(
        [&] { return (next = take(spec, "alive", Duration{10 * kUsPerSecond})).has_value(); }));
    schedule::Run ghost(pool, name, *dead, leaving, spec.limit);
    const auto before = fixture::dump(
        *c, {"hourly_tip", "viewer_total", "analysis_progress", "portrait", "portrait_round"});
    EXPECT_THROW(spec.work(ghost), schedule::LeaseLost);
    EXPECT_EQ(fixture::dump(*c, {"hourly_tip", "viewer_total", "analysis_progress", "portrait",
                                 "portrait_round"}),
              before)
        << name;
    schedule::Run own(pool, name, *next, leaving, spec.limit);
    spec.work(own);
    expectAllCounted();
  }
  EXPECT_EQ(published(), 1);
}

}  // namespace
}  // namespace tipflow::analysis
