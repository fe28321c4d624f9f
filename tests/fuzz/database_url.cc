// Database URLs: any text is refused with a reason, or names a database that can be written down
// and read again, and is shown without its password.
#include <algorithm>

#include "platform/db/connection.h"
#include "property.h"

namespace tipflow::db {
namespace {

using fuzz::require;

std::string percentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xF];
    }
  }
  return out;
}

std::string written(const Url& url) {
  if (url.dialect == Dialect::sqlite) return "sqlite://" + url.file;
  const bool isV6 = url.host.find(':') != std::string::npos;
  return "mysql://" + percentEncoded(url.user) + ':' + percentEncoded(url.password) + '@' +
         (isV6 ? '[' + url.host + ']' : url.host) + ':' + std::to_string(url.port) + '/' +
         percentEncoded(url.database);
}

bool same(const Url& a, const Url& b) {
  return a.dialect == b.dialect && a.file == b.file && a.user == b.user &&
         a.password == b.password && a.host == b.host && a.port == b.port &&
         a.database == b.database;
}

bool hasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

void checkUrl(std::string_view text) {
  Url url;
  try {
    url = Url::parse(text);
  } catch (const std::invalid_argument& refused) {
    require(*refused.what() != '\0', "a refusal has a reason");
    return;
  }
  if (url.dialect == Dialect::sqlite) {
    require(!url.file.empty() && !hasNul(url.file), "a file has a whole name");
  } else {
    require(!url.host.empty() && !url.database.empty(), "host and database have names");
    require(url.port >= 1 && url.port <= 65'535, "a port is a port");
    require(url.host.find_first_of("/?#@[] \t\r\n") == std::string::npos, "a host is only a host");
    require(!hasNul(url.host + url.user + url.password + url.database), "nothing is cut at a NUL");
  }
  require(same(Url::parse(written(url)), url), "a URL can be written down and read again");
  auto other = url;
  other.password = "another";
  require(other.shown() == url.shown(), "the password is not shown");
}

}  // namespace
}  // namespace tipflow::db

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::db::checkUrl(tipflow::fuzz::asText(data, size));
  return 0;
}
