#include "platform/http/poster.h"

#include <fmt/format.h>

namespace tipflow::http {
namespace {

constexpr double kTimeoutSeconds = 5;

}  // namespace

Poster::Poster(const std::string& url) : thread_("post") {
  constexpr std::string_view kScheme = "://";
  const auto scheme = url.find(kScheme);
  if (scheme == std::string::npos ||
      (!url.starts_with("http://") && !url.starts_with("https://"))) {
    throw std::invalid_argument("must begin with http:// or https://");
  }
  const auto host = scheme + kScheme.size();
  const auto slash = url.find('/', host);
  if (slash == host || host == url.size()) throw std::invalid_argument("names no host");
  path_ = slash == std::string::npos ? "/" : url.substr(slash);
  thread_.run();
  client_ = drogon::HttpClient::newHttpClient(url.substr(0, slash), thread_.getLoop());
}

void Poster::post(Body body) {
  const auto request = drogon::HttpRequest::newHttpRequest();
  request->setMethod(drogon::Post);
  request->setPath(path_);
  request->setPathEncode(false);
  request->setBody(std::move(body.text));
  request->setContentTypeString(body.type);
  for (const auto& [name, value] : body.headers) request->addHeader(name, value);
  const auto [result, answer] = client_->sendRequest(request, kTimeoutSeconds);
  if (result != drogon::ReqResult::Ok) throw NotTaken(drogon::to_string(result));
  const auto status = static_cast<int>(answer->getStatusCode());
  if (status < 200 || status > 299) throw NotTaken(fmt::format("answered {}", status));
}

}  // namespace tipflow::http
