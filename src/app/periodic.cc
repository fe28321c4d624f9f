#include "app/periodic.h"

#include <drogon/HttpAppFramework.h>

#include <memory>

namespace tipflow::app {
namespace {

struct Repeated {
  PeriodicJob job;
  schedule::Jobs::Job& record;
  bool running = false;
};

drogon::Task<> runOnce(std::shared_ptr<Repeated> repeated) {
  if (repeated->running) co_return;
  repeated->running = true;
  bool ours = true;
  if (repeated->job.ours) ours = co_await repeated->job.ours();
  if (!ours) {
    repeated->record.elsewhere();
    repeated->running = false;
    co_return;
  }
  std::string role = repeated->job.role;
  auto work = repeated->job.work;
  co_await repeated->record.run(std::move(role), std::move(work));
  repeated->running = false;
}

}  // namespace

void runPeriodically(schedule::Jobs& jobs, PeriodicJob job) {
  auto& record = jobs.add(job.name, job.every);
  const auto seconds = static_cast<double>(job.every.count()) / static_cast<double>(kUsPerSecond);
  const auto repeated = std::make_shared<Repeated>(Repeated{std::move(job), record});
  drogon::app().getLoop()->runEvery(seconds, [repeated] {
    drogon::async_run([repeated]() -> drogon::Task<> {
      auto mine = repeated;
      co_await runOnce(std::move(mine));
    });
  });
}

}  // namespace tipflow::app
