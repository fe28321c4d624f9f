#include "platform/http/problem.h"

namespace tipflow::http {

bool prefersChinese(std::string_view acceptLanguage) {
  const auto zh = acceptLanguage.find("zh");
  const auto en = acceptLanguage.find("en");
  return zh != std::string_view::npos && (en == std::string_view::npos || zh < en);
}

ResponsePtr problem(const Rejection& rejection, std::string_view traceId,
                    std::string_view acceptLanguage) {
  const bool chinese = prefersChinese(acceptLanguage);
  const auto& entry = info(rejection.code);
  const auto title = chinese ? entry.zh : entry.en;
  std::string body = "{\"type\":";
  json::write(body, fmt::format("/docs#error-{}", entry.code));
  body += ",\"title\":";
  json::write(body, title);
  body += fmt::format(",\"status\":{},\"code\":\"{}\",\"detail\":", entry.status, entry.code);
  json::write(body, rejection.detail.empty() ? title : std::string_view(rejection.detail));
  body += ",\"traceId\":";
  json::write(body, traceId);
  if (!rejection.errors.empty()) {
    body += ",\"errors\":[";
    bool first = true;
    for (const auto& error : rejection.errors) {
      const auto& fieldEntry = info(error.code);
      body += first ? "{\"field\":" : ",{\"field\":";
      first = false;
      json::write(body, error.field);
      body += fmt::format(",\"code\":\"{}\",\"detail\":", fieldEntry.code);
      json::write(body, chinese || error.detail.empty() ? (chinese ? fieldEntry.zh : fieldEntry.en)
                                                        : std::string_view(error.detail));
      body += '}';
    }
    body += ']';
  }
  body += '}';
  auto response = jsonResponse(entry.status, std::move(body));
  response->setContentTypeString("application/problem+json");
  if (entry.status == 503 || entry.status == 429) {
    response->addHeader("Retry-After", std::to_string(rejection.retryAfterSeconds));
  }
  if (entry.status == 401) response->addHeader("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace tipflow::http
