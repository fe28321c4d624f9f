#include "app/schedulers.h"

namespace tipflow::app {

void Schedulers::add(schedule::Scheduler& scheduler, std::vector<schedule::JobSpec> jobs) {
  for (auto& job : jobs) scheduler.add(std::move(job));
}

void Schedulers::start() {
  db1_.start();
  db2_.start();
}

void Schedulers::leave() {
  db1_.leave();
  db2_.leave();
}

void Schedulers::stop() {
  leave();
  db1_.stop();
  db2_.stop();
}

}  // namespace tipflow::app
