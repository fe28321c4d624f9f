// The scheduled jobs of all roles: shown, paused, sped up, run out of turn. A job lives in the
// database that its role writes to; its tables belong to platform/schedule, the same in both.
#pragma once

#include <drogon/utils/coroutine.h>

#include "console/job_model.h"
#include "platform/db/database.h"
#include "platform/http/call.h"

namespace tipflow::console {

class JobControl {
 public:
  /// `db1` may be null: this node cannot reach it.
  JobControl(db::Database* db1, db::Database& db2) : databases_{db1, &db2} {}

  drogon::Task<ShownJobs> list();
  /// What is not named in `change` stays.
  drogon::Task<Result<JobChange>> change(std::string name, ChangeJob change);
  /// Some node begins a run within a second, also of a paused job; one under way is let end first.
  drogon::Task<Result<ShownJob>> runNow(std::string name);
  /// Newest first, below the run `before`.
  drogon::Task<Result<http::Page<ShownRun>>> runs(std::string name, std::int64_t before,
                                                  int pageSize);

 private:
  /// The database that has the job; nullptr when none has. Throws db::Error when that is not known.
  drogon::Task<db::Database*> databaseOf(std::string name);

  std::array<db::Database*, 2> databases_;
};

}  // namespace tipflow::console
