#include "edge/agent.h"

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <fstream>

#include "platform/log.h"

namespace tipflow::edge {

BOOST_DESCRIBE_STRUCT(Server, (), (node, address, port))
BOOST_DESCRIBE_STRUCT(Picture, (), (roles, blocked))

namespace {

// Looks that news may go on changing before it is acted on all the same.
constexpr int kUnsettledMost = 5;
// Looks after which nginx is asked again about what it refused: a name may be known by then.
constexpr int kAskAgain = 50;
// Long enough for a supervisor to start a node again.
constexpr Duration kLeaversStay{10 * kUsPerSecond};

std::string toText(const Picture& picture) {
  return boost::json::serialize(boost::json::value_from(picture));
}

/// What the last agent believed; nothing when there was none.
Picture readPicture(const std::string& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  try {
    return boost::json::value_to<Picture>(boost::json::parse(text));
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

Agent::Agent(Options options, std::string_view configurationTemplate, Nginx& nginx,
             const Registry& registry, BlockList blocked)
    : options_(std::move(options)),
      template_(configurationTemplate),
      nginx_(nginx),
      registry_(registry),
      blocked_(std::move(blocked)),
      leavers_(refusesConnections, kLeaversStay),
      applied_(readPicture(nginx.file(kPictureFile))),
      seen_(applied_) {}

void Agent::look() {
  const auto picture = leavers_.with(applied_, believed(applied_, news()), clock_.now());
  if (!begun_ || (picture != applied_ && settled(picture))) apply(picture);
  if (nginx_.keepRunning()) log::warn("edge", "nginx had ended and was started again");
}

Picture Agent::news() const {
  Picture picture;
  for (const auto& role : roles()) {
    for (const auto& instance : registry_.instances(role)) {
      picture.roles[role].push_back({instance.node, instance.address, instance.port});
    }
  }
  picture.blocked = blocked_().value_or(applied_.blocked);
  return picture;
}

bool Agent::settled(const Picture& seen) {
  const bool same = seen == seen_;
  seen_ = seen;
  unsettled_ = same ? 0 : unsettled_ + 1;
  return same || unsettled_ >= kUnsettledMost;
}

void Agent::apply(const Picture& picture) {
  const auto configuration = render(template_, options_, picture);
  if (configuration == refused_ && --askAgainIn_ > 0) return;
  if (configuration != nginx_.configuration()) {
    if (const auto fault = nginx_.take(configuration)) {
      log::error("edge", "nginx refused its new configuration; the last one stays",
                 log::field("nginx", *fault));
      refused_ = configuration;
      askAgainIn_ = kAskAgain;
      if (nginx_.configuration().empty())
        throw std::runtime_error("nginx refused its first configuration: " + *fault);
      return;
    }
  }
  for (const auto& line : changes(applied_, picture)) {
    log::info("edge", "changed", log::field("change", line));
  }
  begun_ = true;
  unsettled_ = 0;
  refused_.clear();
  applied_ = picture;
  replaceFile(nginx_.file(kPictureFile), toText(picture));
}

}  // namespace tipflow::edge
