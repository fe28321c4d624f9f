#include "edge/blocks.h"

#include <algorithm>
#include <chrono>

#include "platform/http/address.h"
#include "platform/json.h"
#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::edge {
namespace {

constexpr std::chrono::seconds kEvery{1};
constexpr const char* kPath = "/internal/v1/ip-blocks";

}  // namespace

// Written into nginx's configuration, so nothing but networks may come through.
std::optional<std::vector<std::string>> blockedNetworks(std::string_view body) {
  boost::json::error_code bad;
  const auto parsed = boost::json::parse({body.data(), body.size()}, bad);
  const auto* object = bad ? nullptr : parsed.if_object();
  const auto* list = object == nullptr ? nullptr : object->if_contains("networks");
  if (list == nullptr || !list->is_array()) return std::nullopt;
  std::vector<std::string> networks;
  for (const auto& entry : list->get_array()) {
    const auto* text = entry.if_string();
    const auto network =
        text == nullptr ? std::nullopt : Network::parse({text->data(), text->size()});
    if (!network) return std::nullopt;
    networks.push_back(network->text());
  }
  std::sort(networks.begin(), networks.end());
  networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
  return networks;
}

Blocks::Blocks(rpc::Caller& console) : console_(console), thread_([this] { run(); }) {}

Blocks::~Blocks() {
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
  }
  leaving_.notify_all();
  thread_.join();
}

std::optional<std::vector<std::string>> Blocks::networks() const {
  const std::lock_guard lock(mutex_);
  return networks_;
}

void Blocks::run() {
  nameThread("blocks");
  std::unique_lock lock(mutex_);
  while (!left_) {
    lock.unlock();
    ask();
    lock.lock();
    leaving_.wait_for(lock, kEvery, [this] { return left_; });
  }
}

void Blocks::ask() {
  std::optional<std::vector<std::string>> found;
  rpc::Request request;
  request.path = kPath;
  request.fits = [&found](const rpc::Answer& answer) {
    if (answer.status == 200) found = blockedNetworks(answer.body);
    return found.has_value();
  };
  try {
    (void)console_.callBlocking(std::move(request));
    if (!answered_) log::info("edge", "the list of blocked networks is told again");
    answered_ = true;
  } catch (const std::exception& error) {
    if (answered_) {
      log::warn("edge", "no node tells which networks are blocked; those known stay so",
                log::field("error", std::string_view(error.what())));
    }
    answered_ = false;
    return;
  }
  const std::lock_guard lock(mutex_);
  networks_ = std::move(found);
}

}  // namespace tipflow::edge
