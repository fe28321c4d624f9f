// A client's record of what it asked and was told, as a file: JSON lines, one a tip of a request,
// in any order:
// {"traceId":"…","viewerId":1,"roomId":2,"amount":100,"giftId":0,"count":1,"outcome":"created",
//  "tipId":123}
// giftId (0), count (1) and tipId may be left out, as in the API. `outcome` is a word of Told.
#pragma once

#include <istream>

#include "audit/outcomes.h"
#include "audit/read.h"
#include "platform/db/connection.h"

namespace tipflow::audit {

/// Throws std::runtime_error with the number of the line and the field at fault.
Outcomes readRecord(std::istream& lines);

/// Compares the record with the tips in DB1, which are read in chunks. Throws db::Error.
void addRows(Outcomes& outcomes, db::Connection& db1, const Progress& progress);

}  // namespace tipflow::audit
