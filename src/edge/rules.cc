#include "edge/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/error_code.h"
#include "base/text.h"

namespace tipflow::edge {
namespace {

constexpr std::string_view kOpen = "<<";
constexpr std::string_view kClose = ">>";
constexpr int kHighestPort = 65'535;
constexpr std::size_t kLongestAddress = 253;
// How many changes of a list are named one by one.
constexpr std::size_t kNamed = 5;

/// An answer of the edge's own, and where it comes from: a named location, or an address for
/// requests that are too broken to have one.
struct Problem {
  ErrorCode code;
  std::string_view location;
};

constexpr Problem kProblems[]{
    {ErrorCode::invalid_request, "= /-/invalid_request"},
    {ErrorCode::address_blocked, "@address_blocked"},
    {ErrorCode::route_not_found, "@route_not_found"},
    {ErrorCode::method_not_allowed, "@method_not_allowed"},
    {ErrorCode::body_too_large, "@body_too_large"},
    {ErrorCode::too_many_requests, "@too_many_requests"},
    {ErrorCode::internal_error, "@internal_error"},
    {ErrorCode::role_unavailable, "@role_unavailable"},
};

/// In double quotes of an nginx configuration.
std::string inQuotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string problemBody(const ErrorInfo& entry, std::string_view title) {
  std::string body = fmt::format(R"({{"type":"/docs#error-{}","title":)", entry.code);
  appendJsonString(body, title);
  body += fmt::format(R"(,"status":{},"code":"{}","detail":)", entry.status, entry.code);
  appendJsonString(body, title);
  return body + R"(,"traceId":"$trace_id"})";
}

std::string problemText(ErrorCode code) {
  const auto& entry = info(code);
  return fmt::format("  map $chinese $problem_{} {{\n    default {};\n    1 {};\n  }}", entry.code,
                     inQuotes(problemBody(entry, entry.en)),
                     inQuotes(problemBody(entry, entry.zh)));
}

std::string problemTexts() {
  std::vector<std::string> texts;
  for (const auto& problem : kProblems) texts.push_back(problemText(problem.code));
  texts.push_back(problemText(ErrorCode::unavailable));
  texts.push_back(problemText(ErrorCode::outcome_unknown));
  return fmt::format("{}", fmt::join(texts, "\n"));
}

std::string returned(ErrorCode code) {
  return fmt::format("return {} $problem_{};", info(code).status, info(code).code);
}

/// The headers are those that nodes send (platform/http/headers.h), for answers that no node gave.
/// nginx leaves out a header whose value is empty.
std::string problemLocation(std::string_view location, std::string_view retryAfter,
                            const std::string& body) {
  return fmt::format(R"(    location {} {{
      internal;
      default_type application/problem+json;
      add_header X-Trace-Id $trace_id always;
      add_header Retry-After {} always;
      add_header X-Content-Type-Options nosniff always;
      add_header X-Frame-Options DENY always;
      add_header Referrer-Policy no-referrer always;
      add_header Cache-Control no-store always;
      add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'" always;
      {}
    }})",
                     location, retryAfter, body);
}

std::string problems() {
  std::vector<std::string> locations;
  for (const auto& problem : kProblems) {
    const auto status = info(problem.code).status;
    const bool comeAgain = status == 503 || status == 429;
    locations.push_back(
        problemLocation(problem.location, comeAgain ? "1" : "\"\"", returned(problem.code)));
  }
  const auto choice =
      fmt::format("if ($unanswered = outcome_unknown) {{\n        {}\n      }}\n      {}",
                  returned(ErrorCode::outcome_unknown), returned(ErrorCode::unavailable));
  locations.push_back(problemLocation("@unanswered", "$retry_after", choice));
  return fmt::format("{}", fmt::join(locations, "\n"));
}

std::string limits(const Options& options) {
  std::string out;
  if (options.addressPerSecond > 0) {
    out += fmt::format(
        "  limit_req_zone $limited_site zone=requests:16m rate={}r/s;\n"
        "  limit_req zone=requests burst={} nodelay;\n"
        "  limit_req_status 429;\n"
        "  limit_req_log_level info;\n",
        options.addressPerSecond, options.addressBurst);
  }
  if (options.addressConnections > 0) {
    out += fmt::format(
        "  limit_conn_zone $limited_site zone=connections:16m;\n"
        "  limit_conn connections {};\n"
        "  limit_conn_status 429;\n"
        "  limit_conn_log_level info;\n",
        options.addressConnections);
  }
  if (!out.empty()) out.pop_back();
  return out;
}

std::string networks(const std::vector<std::string>& list, char value) {
  std::string out;
  for (const auto& network : list) out += fmt::format("    {} {};\n", network, value);
  if (!out.empty()) out.pop_back();
  return out;
}

/// `host:port`, with the brackets that IPv6 needs.
std::string place(const std::string& address, std::int64_t port) {
  const bool ipv6 = address.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}
std::string place(const Server& server) { return place(server.address, server.port); }

/// The zone is what workers share: who is down, and how many requests each server has.
std::string upstream(const std::string& name, const std::vector<Server>& servers) {
  std::string out =
      fmt::format("  upstream {} {{\n    zone {} 256k;\n    least_conn;\n", name, name);
  std::set<std::string> places;
  for (const auto& server : servers) {
    if (!places.insert(place(server)).second) continue;
    out += fmt::format("    server {} max_fails=3 fail_timeout=3s;\n", place(server));
  }
  // Given up before nodes close them, after a minute: a request never meets a closing connection.
  return out +
         "    keepalive 128;\n    keepalive_requests 100000;\n    keepalive_timeout 30s;\n  }";
}

/// With what any node serves: sessions, documentation, the version.
std::map<std::string, std::vector<Server>> groups(const Picture& picture) {
  auto all = picture.roles;
  std::vector<Server> any;
  for (const auto& [role, servers] : picture.roles) {
    any.insert(any.end(), servers.begin(), servers.end());
  }
  std::sort(any.begin(), any.end());
  if (!any.empty()) all["any"] = any;
  return all;
}

std::string upstreams(const Picture& picture) {
  std::vector<std::string> blocks;
  for (const auto& [name, servers] : groups(picture)) blocks.push_back(upstream(name, servers));
  return fmt::format("{}", fmt::join(blocks, "\n"));
}

std::string present(const Picture& picture) {
  std::vector<std::string> lines;
  for (const auto& [name, servers] : groups(picture)) {
    lines.push_back(fmt::format("    {} {};", name, name));
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string fill(std::string_view text, const std::map<std::string_view, std::string>& values) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    const auto open = text.find(kOpen, at);
    const auto close = open == text.npos ? open : text.find(kClose, open);
    if (close == text.npos) return out.append(text.substr(at));
    const auto name = text.substr(open + kOpen.size(), close - open - kOpen.size());
    out.append(text.substr(at, open - at));
    at = close + kClose.size();
    const auto value = values.find(name);
    if (value == values.end()) {
      throw std::logic_error("the template of nginx's configuration asks for " + std::string(name));
    }
    out.append(value->second);
  }
}

bool isAddressCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == ':';
}

template <class T, class Show>
void compare(std::vector<std::string>& lines, const std::string& what, const std::vector<T>& before,
             const std::vector<T>& after, const Show& show) {
  const auto difference = [&](const std::vector<T>& from, const std::vector<T>& less, char sign) {
    std::vector<T> left;
    std::set_difference(from.begin(), from.end(), less.begin(), less.end(),
                        std::back_inserter(left));
    if (left.size() > kNamed) {
      lines.push_back(fmt::format("{}: {}{} of them", what, sign, left.size()));
      return;
    }
    for (const auto& one : left) lines.push_back(fmt::format("{}: {}{}", what, sign, show(one)));
  };
  difference(after, before, '+');
  difference(before, after, '-');
}

}  // namespace

const std::vector<std::string>& roles() {
  static const std::vector<std::string> kRoles{"analysis", "anchor", "audience", "console",
                                               "finance",  "mock",   "room"};
  return kRoles;
}

bool isUsable(const Server& server) {
  return !server.address.empty() && server.address.size() <= kLongestAddress &&
         std::all_of(server.address.begin(), server.address.end(), isAddressCharacter) &&
         server.port > 0 && server.port <= kHighestPort;
}

Picture believed(const Picture& before, Picture news) {
  for (auto& [role, servers] : news.roles) {
    std::erase_if(servers, [](const Server& server) { return !isUsable(server); });
    std::sort(servers.begin(), servers.end());
  }
  std::erase_if(news.roles, [](const auto& role) { return role.second.empty(); });
  for (const auto& [role, servers] : before.roles) news.roles.try_emplace(role, servers);
  std::sort(news.blocked.begin(), news.blocked.end());
  return news;
}

std::string render(std::string_view configurationTemplate, const Options& options,
                   const Picture& picture) {
  return fill(configurationTemplate, {{"listen", place(options.address, options.port)},
                                      {"worker_connections", std::to_string(options.connections)},
                                      {"descriptors", std::to_string(options.descriptors)},
                                      {"exempt", networks(options.exempt, '0')},
                                      {"limits", limits(options)},
                                      {"blocked", networks(picture.blocked, '1')},
                                      {"present", present(picture)},
                                      {"upstreams", upstreams(picture)},
                                      {"problem_texts", problemTexts()},
                                      {"problems", problems()}});
}

std::vector<std::string> changes(const Picture& before, const Picture& after) {
  std::vector<std::string> lines;
  const auto serversOf = [](const Picture& picture, const std::string& role) {
    const auto found = picture.roles.find(role);
    return found == picture.roles.end() ? std::vector<Server>{} : found->second;
  };
  for (const auto& role : roles()) {
    compare(lines, role, serversOf(before, role), serversOf(after, role), [](const Server& server) {
      return fmt::format("{} at {}", server.node, place(server));
    });
  }
  compare(lines, "blocked", before.blocked, after.blocked,
          [](const auto& network) { return network; });
  return lines;
}

}  // namespace tipflow::edge
