#include "app/node_reporter.h"

#include <drogon/HttpAppFramework.h>

#include <algorithm>

#include "app/version.h"
#include "finance/day_sum.h"
#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr double kSampleSeconds = 1;
constexpr std::size_t kSamples = 11;  // ten seconds

double secondsOf(Duration duration) {
  return static_cast<double>(duration.count()) / static_cast<double>(kUsPerSecond);
}

}  // namespace

void NodeReporter::addRoutes(http::Router& router) {
  router.add({http::Method::get, kNodeReportPath, http::Access::nodes(),
              [this](http::Call& call) { return report(call); }, http::Signing::none,
              http::kBodyLimit, "platform"});
}

void NodeReporter::start() {
  if (!parts_.tipsCreated) return;
  sample();
  drogon::app().getLoop()->runEvery(kSampleSeconds, [this] { sample(); });
}

void NodeReporter::sample() {
  const Sample now{clock_.now(), parts_.tipsCreated()};
  const std::lock_guard lock(mutex_);
  samples_.push_back(now);
  if (samples_.size() > kSamples) samples_.pop_front();
}

std::optional<NodeReport::Tips> NodeReporter::tips() const {
  if (!parts_.tipsCreated) return std::nullopt;
  NodeReport::Tips tips;
  {
    const std::lock_guard lock(mutex_);
    if (!samples_.empty()) {
      const auto& first = samples_.front();
      const auto passed = secondsOf(samples_.back().at - first.at);
      if (passed > 0) tips.perSecond = (samples_.back().created - first.created) / passed;
    }
  }
  const auto sync = parts_.sync ? parts_.sync() : std::nullopt;
  if (!sync) return tips;
  tips.waiting = sync->tips;
  if (sync->oldest) {
    tips.lagMs = std::max<std::int64_t>(0, (clock_.now() - *sync->oldest).count() / kUsPerMs);
  }
  return tips;
}

http::Task<std::optional<NodeReport::Day>> NodeReporter::today() const {
  if (parts_.books == nullptr) co_return std::nullopt;
  const auto from = businessTime_.firstHourOf(businessTime_.localHour(clock_.now()).day);
  const auto sum = co_await parts_.books->readAside(
      [&](db::Connection& connection) { return finance::store::settledSince(connection, from); });
  co_return NodeReport::Day{from, sum.count, sum.amount};
}

http::Task<http::ResponsePtr> NodeReporter::report(http::Call&) const {
  NodeReport report;
  report.version = kVersion;
  report.startedAt = startedAt_;
  report.tips = tips();
  try {
    report.today = co_await today();
  } catch (const db::Error& away) {
    log::warn("platform", "the day's sums are not known now",
              log::field("error", std::string_view(away.what())));
  }
  co_return http::ok(report);
}

}  // namespace tipflow::app
