#include "analysis/tag_routes.h"

namespace tipflow::analysis {
namespace {

using http::Access;
using http::Call;
using http::ResponsePtr;
using http::Task;

constexpr int kShown = 20;
constexpr std::size_t kTagCharacters = 32;

class Routes {
 public:
  explicit Routes(TagService& service) : service_(service) {}

  Task<ResponsePtr> related(Call& call) {
    auto tag = tagOf(call);
    const auto answer = co_await service_.related(std::move(tag), limitOf(call, kRelatedMost));
    co_return http::ok(answer);
  }
  Task<ResponsePtr> matrix(Call& call) {
    const auto answer = co_await service_.matrix(limitOf(call, kMatrixMost));
    co_return http::ok(answer);
  }
  Task<ResponsePtr> recommended(Call& call) {
    const auto viewer = call.pathId<ViewerId>(0, ErrorCode::viewer_not_found);
    co_return http::ok(
        http::orRefuse(co_await service_.recommended(viewer, limitOf(call, kRecommendedMost))));
  }

 private:
  static int limitOf(const Call& call, int most) {
    return static_cast<int>(call.integer("limit", 1, most).value_or(kShown));
  }
  // Any tag may be asked about; one that nobody has goes with none.
  static std::string tagOf(const Call& call) {
    const auto tag = trimmed(call.path.at(0));
    const auto length = json::codePoints(tag);
    if (length < 1 || length > kTagCharacters) {
      throw BadRequest("tag", ErrorCode::out_of_range, "must have 1 to 32 characters");
    }
    for (auto rest = tag; !rest.empty();) {
      const auto size = firstCharacter(rest).size;
      if (size == 0) throw BadRequest("tag", ErrorCode::invalid_format, "must be UTF-8");
      rest.remove_prefix(size);
    }
    if (hasControl(tag)) {
      throw BadRequest("tag", ErrorCode::invalid_format, "must not hold control characters");
    }
    return std::string(tag);
  }

  TagService& service_;
};

}  // namespace

void addTagRoutes(http::Router& router, TagService& service) {
  const auto routes = std::make_shared<Routes>(service);
  const auto add = [&](const char* path, Access access, auto handler) {
    router.add({http::Method::get, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); },
                http::Signing::none, http::kBodyLimit, "analysis"});
  };
  add("/api/v1/analysis/tags/{tag}/related", Access::signedIn(), &Routes::related);
  add("/api/v1/analysis/tags/matrix", Access::operators(), &Routes::matrix);
  add("/api/v1/analysis/viewers/{id}/recommended-rooms", Access::operators().orOwnViewer(),
      &Routes::recommended);
}

}  // namespace tipflow::analysis
