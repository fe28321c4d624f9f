#include "sent_statements.h"

#include <mysql.h>

namespace {
std::string last;
}  // namespace

namespace tipflow::fuzz {
const std::string& lastStatement() { return last; }
}  // namespace tipflow::fuzz

extern "C" {

MYSQL* STDCALL mysql_real_connect(MYSQL* handle, const char*, const char*, const char*, const char*,
                                  unsigned int, const char*, unsigned long) {
  return handle;
}

int STDCALL mysql_real_query(MYSQL*, const char* text, unsigned long size) {
  last.assign(text, size);
  return 0;
}

MYSQL_RES* STDCALL mysql_store_result(MYSQL*) { return nullptr; }

}  // extern "C"
