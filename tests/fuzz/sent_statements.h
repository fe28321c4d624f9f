// Statements that the MySQL connection hands to the client library, kept instead of sent. The three
// functions in sent_statements.cc stand before those of libmariadb: no server is asked.
#pragma once

#include <string>

namespace tipflow::fuzz {

/// The last statement, as it would have gone to the server.
const std::string& lastStatement();

}  // namespace tipflow::fuzz
