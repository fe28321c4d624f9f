// What an error of the MySQL protocol means for whoever sent the statement.
#pragma once

#include <string_view>

namespace tipflow::db {

/// Throws the Error that `code` stands for (platform/db/connection.h); `sql` is shown shortened.
[[noreturn]] void failMysql(unsigned code, const char* message, std::string_view sql);

}  // namespace tipflow::db
