#include "platform/rpc/connections.h"

#include <future>

namespace tipflow::rpc {
namespace {

constexpr std::size_t kMostIdle = 32;  // to one node

Outcome::Kind kindOf(drogon::ReqResult result) {
  switch (result) {
    case drogon::ReqResult::Ok:
      return Outcome::Kind::answered;
    case drogon::ReqResult::BadServerAddress:
    case drogon::ReqResult::InvalidCertificate:
    case drogon::ReqResult::HandshakeError:
    case drogon::ReqResult::EncryptionFailure:
      return Outcome::Kind::notSent;
    case drogon::ReqResult::BadResponse:
    case drogon::ReqResult::NetworkFailure:
    case drogon::ReqResult::Timeout:
      return Outcome::Kind::lost;
  }
  return Outcome::Kind::lost;
}

}  // namespace

Connections::Connections() : thread_("rpc") { thread_.run(); }

// A client ends on its own loop: there nothing of it is under way at the same time. One whose
// answer is still to come ends with that answer.
Connections::~Connections() {
  std::promise<void> ended;
  thread_.getLoop()->queueInLoop([&] {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    idle_.clear();
    ended.set_value();
  });
  ended.get_future().wait();
}

void Connections::send(const std::string& address, Wire wire, std::function<void(Outcome)> done) {
  const auto request = drogon::HttpRequest::newHttpRequest();
  request->setMethod(wire.method);
  request->setPath(wire.target);
  request->setPathEncode(false);
  if (!wire.body.empty()) {
    request->setBody(std::move(wire.body));
    request->setContentTypeString("application/json");
  }
  for (const auto& [name, value] : wire.headers) request->addHeader(name, value);
  const auto seconds =
      static_cast<double>(wire.timeout.count()) / static_cast<double>(kUsPerSecond);
  auto client = take(address);
  auto* sender = client.get();
  sender->sendRequest(
      request,
      [this, address, client = std::move(client), done = std::move(done)](
          drogon::ReqResult result, const drogon::HttpResponsePtr& response) mutable {
        Outcome outcome{kindOf(result)};
        if (outcome.kind == Outcome::Kind::answered) {
          outcome.status = static_cast<int>(response->getStatusCode());
          outcome.body = std::string(response->body());
          giveBack(address, std::move(client));
        }
        done(std::move(outcome));
      },
      seconds);
}

drogon::HttpClientPtr Connections::take(const std::string& address) {
  {
    const std::lock_guard lock(mutex_);
    auto& idle = idle_[address];
    if (!idle.empty()) {
      auto client = std::move(idle.back());
      idle.pop_back();
      return client;
    }
  }
  return drogon::HttpClient::newHttpClient("http://" + address, thread_.getLoop());
}

// One whose request failed is not used again: what it may still receive belongs to nobody.
void Connections::giveBack(const std::string& address, drogon::HttpClientPtr client) {
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[address];
  if (!leaving_ && idle.size() < kMostIdle) idle.push_back(std::move(client));
}

}  // namespace tipflow::rpc
