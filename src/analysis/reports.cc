#include "analysis/reports.h"

#include <algorithm>
#include <array>

#include "analysis/sum_store.h"

namespace tipflow::analysis {
namespace {

constexpr std::int64_t kWeekdays = 7;
constexpr std::int64_t kDayHours = 24;
// 1970-01-01 was a Thursday; Monday is 0.
constexpr std::int64_t kFirstWeekday = 3;

/// What was read, and until when it is complete: known before it was read, so never too late.
template <class T>
struct AsOf {
  T value;
  std::optional<Time> asOf;
};

/// Runs `work` in a snapshot on a worker.
template <class Work>
auto read(db::Database& db2, Work work)
    -> drogon::Task<AsOf<std::invoke_result_t<Work, db::Connection&>>> {
  using Read = AsOf<std::invoke_result_t<Work, db::Connection&>>;
  auto reading = [work = std::move(work)](db::Connection& connection) {
    return db::inSnapshot(connection, [&](db::Connection& c) -> Read {
      const Time asOf = store::state(c).asOf;
      return {work(c), asOf == Time{} ? std::nullopt : std::optional(asOf)};
    });
  };
  auto task = db2.readAside(std::move(reading));
  co_return co_await std::move(task);
}

Units unitsOf(Fen amount) {
  Units units;
  if (__builtin_mul_overflow(amount.value, kUnitsPerFen, &units.value)) {
    throw BrokenInvariant("a sum of tips does not fit 63 bits");
  }
  return units;
}

AnchorId anchorOf(const store::CubeKey& key) { return AnchorId{key[1]}; }

ShownSum totalOf(const std::map<store::CubeKey, Sum>& sums) {
  Sum total;
  for (const auto& [_, sum] : sums) total.add(sum);
  return {total.amount, total.tips};
}

/// Anchors with their sums, the largest first.
std::vector<std::pair<AnchorId, Sum>> byAmount(const std::map<store::CubeKey, Sum>& sums) {
  std::vector<std::pair<AnchorId, Sum>> anchors;
  for (const auto& [key, sum] : sums) anchors.emplace_back(anchorOf(key), sum);
  std::stable_sort(anchors.begin(), anchors.end(),
                   [](const auto& a, const auto& b) { return a.second.amount > b.second.amount; });
  return anchors;
}

std::vector<std::int64_t> anchorRanks(const std::vector<std::pair<AnchorId, Sum>>& falling) {
  std::vector<Fen> amounts;
  for (const auto& [_, sum] : falling) amounts.push_back(sum.amount);
  return ranksOf(amounts);
}

/// What an anchor's hours come to, by hour and viewers' gender.
void fold(const std::map<store::CubeKey, Sum>& hours, AnchorSummary& summary) {
  Sum total;
  std::map<Gender, Sum> genders;
  std::map<std::int64_t, Sum> byHour;
  for (const auto& [key, sum] : hours) {
    total.add(sum);
    genders[static_cast<Gender>(key[3])].add(sum);
    byHour[key[0]].add(sum);
  }
  summary.amount = total.amount;
  summary.tips = total.tips;
  summary.anchorUnits = total.anchorUnits;
  summary.hours = static_cast<std::int64_t>(byHour.size());
  for (const auto& [gender, sum] : genders) {
    summary.viewerGenders.push_back({gender, sum.amount, sum.tips});
  }
  for (const auto& [hour, sum] : byHour) {
    if (summary.bestHour && summary.bestHour->amount >= sum.amount) continue;
    summary.bestHour = HourSum{Time{hour}, sum.amount, sum.tips};
  }
}

}  // namespace

void write(std::string& out, const HourlyItem& item) {
  const auto member = [&out](std::string_view name, const auto& value) {
    out += '"';
    out += name;
    out += "\":";
    json::write(out, value);
    out += ',';
  };
  out += '{';
  if (item.hour) member("hour", *item.hour);
  if (item.anchorId) {
    member("anchorId", *item.anchorId);
    member("anchorName", item.anchorName);
  }
  if (item.anchorGender) member("anchorGender", *item.anchorGender);
  if (item.viewerGender) member("viewerGender", *item.viewerGender);
  member("amount", item.amount);
  out += fmt::format("\"tips\":{}}}", item.tips);
}

Result<HourRange> Reports::rangeOf(AskedRange asked) const {
  return hourRange(asked.from, asked.to, clock_.now());
}

Result<Reports::Days> Reports::daysOf(AskedRange asked) const {
  const auto range = rangeOf(asked);
  if (!range) return range.error();
  Days days;
  days.first = businessTime_.localHour(range->from).day;
  const Duration hour{kUsPerHour};
  days.end =
      range->from == range->to ? days.first : businessTime_.localHour(range->to - hour).day + 1;
  days.hours = {businessTime_.firstHourOf(days.first), businessTime_.firstHourOf(days.end)};
  return days;
}

store::CubeQuestion Reports::question(const HourRange& range, Groups groups,
                                      CubeFilter filter) const {
  store::CubeQuestion asked{range, groups, filter, std::nullopt};
  std::int64_t first = businessTime_.localHour(range.from).day;
  if (businessTime_.firstHourOf(first) < range.from) ++first;
  const auto end = businessTime_.localHour(range.to).day;  // this one is not whole, or empty
  if (first >= end) return asked;
  asked.wholeDays = store::CubeQuestion::Days{
      first, end, {businessTime_.firstHourOf(first), businessTime_.firstHourOf(end)}};
  return asked;
}

std::optional<std::string> Reports::anchorName(AnchorId anchor) const {
  const auto card = anchors_ != nullptr ? anchors_->anchor(anchor) : std::nullopt;
  return card ? std::optional(card->name) : std::nullopt;
}

drogon::Task<Result<Hourly>> Reports::hourly(AskedRange asked, Groups groups, CubeFilter filter) {
  const auto range = rangeOf(asked);
  if (!range) co_return range.error();
  const auto ask = question(*range, groups, filter);
  auto reading = read(db2_, [ask](db::Connection& c) { return store::cube(c, ask); });
  const auto found = co_await std::move(reading);
  if (auto reason = whyTooMany(found.value.size())) co_return *std::move(reason);
  Hourly answer{range->from, range->to, {}, totalOf(found.value), found.asOf};
  for (const auto& [key, sum] : found.value) {
    auto& item = answer.items.emplace_back();
    if (groups.hour) item.hour = Time{key[0]};
    if (groups.anchor) item.anchorId = anchorOf(key);
    if (groups.anchor) item.anchorName = anchorName(anchorOf(key));
    if (groups.anchorGender) item.anchorGender = static_cast<Gender>(key[2]);
    if (groups.viewerGender) item.viewerGender = static_cast<Gender>(key[3]);
    item.amount = sum.amount;
    item.tips = sum.tips;
  }
  co_return answer;
}

drogon::Task<Result<MetricsAnswer>> Reports::metrics(AskedRange asked) {
  const auto days = daysOf(asked);
  if (!days) co_return days.error();
  const auto ask = question(days->hours, {}, {});
  auto reading = read(db2_, [ask, days = *days](db::Connection& c) {
    return std::pair(store::cube(c, ask), store::payers(c, days.first, days.end));
  });
  const auto found = co_await std::move(reading);
  const auto& [sums, payers] = found.value;
  std::vector<ViewerSet> sets;
  for (const auto& [_, set] : payers) sets.push_back(set);
  const auto repeats = repeatsOf(sets);
  Sum total;
  for (const auto& [_, sum] : sums) total.add(sum);

  MetricsAnswer answer;
  answer.fromDay = formatDay(days->first);
  answer.toDay = formatDay(days->end);
  answer.tips = total.tips;
  answer.revenue = total.amount;
  answer.anchorUnits = total.anchorUnits;
  answer.platformUnits = unitsOf(total.amount) - total.anchorUnits;
  answer.payingViewers = repeats.viewers;
  answer.repeatViewers = repeats.again;
  if (repeats.viewers > 0) {
    answer.averagePerViewer = Fen{total.amount.value / repeats.viewers};
    answer.repeatRate = static_cast<double>(repeats.again) / static_cast<double>(repeats.viewers);
  }
  answer.asOf = found.asOf;
  co_return answer;
}

drogon::Task<Result<AnchorRanking>> Reports::ranking(AskedRange asked, int limit) {
  const auto range = rangeOf(asked);
  if (!range) co_return range.error();
  const auto ask = question(*range, Groups{.anchor = true}, {});
  auto reading = read(db2_, [ask](db::Connection& c) { return store::cube(c, ask); });
  const auto found = co_await std::move(reading);
  const auto anchors = byAmount(found.value);
  const auto ranks = anchorRanks(anchors);
  AnchorRanking answer{range->from, range->to, {}, 0, totalOf(found.value), found.asOf};
  answer.anchors = static_cast<std::int64_t>(anchors.size());
  for (std::size_t i = 0; i < std::min(anchors.size(), static_cast<std::size_t>(limit)); ++i) {
    const auto& [anchor, sum] = anchors[i];
    answer.items.push_back({ranks[i], anchor, anchorName(anchor), sum.amount, sum.tips});
  }
  co_return answer;
}

drogon::Task<Result<AnchorSummary>> Reports::summary(AnchorId anchor, AskedRange asked) {
  const auto range = rangeOf(asked);
  if (!range) co_return range.error();
  if (anchors_ != nullptr && !anchors_->anchor(anchor)) co_return ErrorCode::anchor_not_found;
  const CubeFilter own{anchor, {}, {}};
  const auto hours = question(*range, Groups{.hour = true, .viewerGender = true}, own);
  const auto all = question(*range, Groups{.anchor = true}, {});
  const Duration span = range->to - range->from;
  const HourRange earlier{Time{std::max<std::int64_t>(0, (range->from - span).us)}, range->from};
  const auto before = question(earlier, {}, own);
  struct Read {
    std::map<store::CubeKey, Sum> hours, all, before;
  };
  auto reading = read(db2_, [hours, all, before](db::Connection& c) {
    return Read{store::cube(c, hours), store::cube(c, all), store::cube(c, before)};
  });
  const auto found = co_await std::move(reading);

  AnchorSummary answer;
  answer.anchorId = anchor;
  answer.anchorName = anchorName(anchor);
  answer.from = range->from;
  answer.to = range->to;
  fold(found.value.hours, answer);
  answer.before = totalOf(found.value.before);
  answer.asOf = found.asOf;
  const auto anchors = byAmount(found.value.all);
  const auto ranks = anchorRanks(anchors);
  answer.anchors = static_cast<std::int64_t>(anchors.size());
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    if (anchors[i].first == anchor) answer.rank = ranks[i];
  }
  co_return answer;
}

drogon::Task<Result<Heatmap>> Reports::heatmap(AskedRange asked, std::optional<AnchorId> anchor) {
  const auto range = rangeOf(asked);
  if (!range) co_return range.error();
  const auto ask = question(*range, Groups{.hour = true}, {anchor, {}, {}});
  auto reading = read(db2_, [ask](db::Connection& c) { return store::cube(c, ask); });
  const auto found = co_await std::move(reading);
  std::array<Sum, kWeekdays * kDayHours> cells;
  for (const auto& [key, sum] : found.value) {
    const auto local = businessTime_.localHour(Time{key[0]});
    const auto weekday = (local.day + kFirstWeekday) % kWeekdays;
    cells[static_cast<std::size_t>(weekday * kDayHours + local.hour)].add(sum);
  }
  Heatmap answer{range->from, range->to, businessTime_.zone(), {}, found.asOf};
  for (std::int64_t i = 0; i < kWeekdays * kDayHours; ++i) {
    const auto& sum = cells[static_cast<std::size_t>(i)];
    answer.items.push_back({i / kDayHours + 1, i % kDayHours, sum.amount, sum.tips});
  }
  co_return answer;
}

drogon::Task<Result<Retention>> Reports::retention(AskedRange asked) {
  const auto days = daysOf(asked);
  if (!days) co_return days.error();
  auto reading = read(
      db2_, [days = *days](db::Connection& c) { return store::payers(c, days.first, days.end); });
  auto found = co_await std::move(reading);
  Retention answer;
  answer.fromDay = formatDay(days->first);
  answer.toDay = formatDay(days->end);
  answer.stepDays = retentionStepDays(days->end - days->first);
  std::vector<ViewerSet> periods;
  for (auto day = days->first; day < days->end; day += answer.stepDays) periods.emplace_back();
  for (const auto& [day, set] : found.value) {
    periods[static_cast<std::size_t>((day - days->first) / answer.stepDays)].add(set);
  }
  const auto cohorts = cohortsOf(periods);
  for (std::size_t i = 0; i < cohorts.size(); ++i) {
    const auto day = days->first + static_cast<std::int64_t>(i) * answer.stepDays;
    answer.items.push_back({formatDay(day), cohorts[i].viewers, cohorts[i].returned});
  }
  answer.asOf = found.asOf;
  co_return answer;
}

Trend Reports::trendOf(const HourRange& range, const std::map<store::CubeKey, Sum>& hours) const {
  Trend answer{range.from, range.to, Step::hour, {}, totalOf(hours), {}};
  for (Time hour = range.from; hour < range.to; hour = hour + Duration{kUsPerHour}) {
    const auto found = hours.find({hour.us, 0, 0, 0});
    const Sum sum = found == hours.end() ? Sum{} : found->second;
    answer.items.push_back({hour, std::nullopt, sum.amount, sum.tips, std::nullopt});
  }
  return answer;
}

Trend Reports::trendOf(const Days& days, const std::map<store::CubeKey, Sum>& hours,
                       const std::map<std::int64_t, ViewerSet>& payers) const {
  std::map<std::int64_t, Sum> byDay;
  for (const auto& [key, sum] : hours) byDay[businessTime_.localHour(Time{key[0]}).day].add(sum);
  Trend answer{days.hours.from, days.hours.to, Step::day, {}, totalOf(hours), {}};
  for (auto day = days.first; day < days.end; ++day) {
    const auto set = payers.find(day);
    const auto& sum = byDay[day];
    answer.items.push_back({businessTime_.firstHourOf(day), formatDay(day), sum.amount, sum.tips,
                            set == payers.end() ? 0 : set->second.count()});
  }
  return answer;
}

drogon::Task<Result<Trend>> Reports::trend(AskedRange asked, Step step) {
  const auto range = rangeOf(asked);
  if (!range) co_return range.error();
  const auto days = daysOf(asked);
  const auto& span = step == Step::hour ? *range : days->hours;
  const auto ask = question(span, Groups{.hour = true}, {});
  const auto first = step == Step::hour ? 0 : days->first;
  const auto end = step == Step::hour ? 0 : days->end;
  auto reading = read(db2_, [ask, first, end](db::Connection& c) {
    return std::pair(store::cube(c, ask), store::payers(c, first, end));
  });
  const auto found = co_await std::move(reading);
  auto answer = step == Step::hour ? trendOf(*range, found.value.first)
                                   : trendOf(*days, found.value.first, found.value.second);
  answer.asOf = found.asOf;
  co_return answer;
}

}  // namespace tipflow::analysis
