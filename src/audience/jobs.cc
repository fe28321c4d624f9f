#include "audience/jobs.h"

#include "audience/top_viewers.h"

namespace tipflow::audience {
namespace {

constexpr Duration kTopViewersEvery{5 * kUsPerSecond};
// A backlog of a day's tips is counted in less.
constexpr Duration kTopViewersLimit{3'600 * kUsPerSecond};

}  // namespace

std::vector<schedule::JobSpec> jobs(db::Database& db1) {
  auto topViewers = std::make_shared<TopViewersJob>();
  return {{kTopViewersJob, "audience", kTopViewersEvery, &db1,
           [topViewers](schedule::Run& run) { topViewers->run(run); }, kTopViewersLimit}};
}

}  // namespace tipflow::audience
