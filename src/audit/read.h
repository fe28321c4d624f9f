// Reads both databases for the auditor, beside a running system: the books first, in one snapshot,
// then the tips, so that whatever is settled in the one is certainly in the other.
#pragma once

#include <functional>

#include "audit/books.h"
#include "audit/sums.h"
#include "platform/db/connection.h"

namespace tipflow::audit {

/// Called now and then with the number of tips read so far.
using Progress = std::function<void(std::int64_t tips)>;

/// Throws db::Error when a database cannot be read.
Books readBooks(db::Connection& db1, db::Connection& db2, const Progress& progress);

/// What analysis has, and the ledger it is made of, in one snapshot. `dayOf`: see Sums.
Sums readSums(db::Connection& db2, std::function<std::int64_t(std::int64_t)> dayOf,
              const Progress& progress);

}  // namespace tipflow::audit
