#include "audience/top_viewer_routes.h"

namespace tipflow::audience {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

constexpr std::int64_t kPlaces = 10;
constexpr std::int64_t kMostPlaces = 100;

struct ShownPlace {
  std::int64_t rank = 0;
  std::optional<ViewerId> viewerId;  ///< none where the policy masks names
  std::string name;
  Fen amount;
};
BOOST_DESCRIBE_STRUCT(ShownPlace, (), (rank, viewerId, name, amount))

struct ShownBoard {
  std::vector<ShownPlace> items;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(ShownBoard, (), (items, asOf))

Task<ResponsePtr> topViewers(TopViewers& service, Call& call) {
  const auto anchor = call.id<AnchorId>("anchorId");
  if (!anchor) throw BadRequest("anchorId", ErrorCode::required, "is required");
  const auto limit = static_cast<int>(call.integer("limit", 1, kMostPlaces).value_or(kPlaces));
  auto board = http::orRefuse(co_await service.top(*anchor, limit, call.isOperator()));
  ShownBoard shown{{}, board.asOf};
  for (auto& [rank, viewer, name, amount] : board.places) {
    const auto id = viewer == ViewerId{0} ? std::nullopt : std::optional(viewer);
    shown.items.push_back({rank, id, std::move(name), amount});
  }
  co_return http::ok(shown);
}

}  // namespace

void addTopViewerRoutes(http::Router& router, TopViewers& service) {
  router.add({Method::get, "/api/v1/tips/top-viewers",
              Access::signedIn().narrowedTo("as audience.leaderboard has it"),
              [&service](Call& call) { return topViewers(service, call); }, http::Signing::none,
              http::kBodyLimit, "audience"});
}

}  // namespace tipflow::audience
