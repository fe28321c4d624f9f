#include "audience/portraits.h"

#include <array>
#include <charconv>

#include "audience/viewer_store.h"
#include "platform/deadline.h"
#include "platform/http/problem.h"
#include "platform/log.h"

namespace tipflow::audience {
namespace {

std::string keyOf(ViewerId viewer) { return fmt::format("portrait:{}", viewer.value); }

}  // namespace

std::string encodePortrait(const analysis::Portrait& portrait) {
  return fmt::format("{} {} {} {} {} {} {} {}", portrait.viewerId.value, portrait.total.value,
                     portrait.tips, portrait.rank, portrait.viewers,
                     static_cast<int>(portrait.tier), portrait.round, portrait.updatedAt.us);
}

std::optional<analysis::Portrait> decodePortrait(std::string_view text) {
  std::array<std::int64_t, 8> numbers{};
  for (auto& number : numbers) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (!text.empty()) text.remove_prefix(1);
  }
  const auto [viewer, total, tips, rank, viewers, tier, round, updatedAt] = numbers;
  const bool ranked = tier >= 1 && tier <= 3 && rank >= 1 && viewers >= rank;
  if (!text.empty() || (tier != 0 && !ranked)) return std::nullopt;
  return analysis::Portrait{ViewerId{viewer},        Fen{total}, tips,           rank, viewers,
                            static_cast<Tier>(tier), round,      Time{updatedAt}};
}

drogon::Task<Portraits::Told> Portraits::ask(ViewerId viewer) {
  if (analysis_ == nullptr) co_return std::nullopt;
  try {
    auto asking = within(patience_, analysis_->portrait(viewer));
    auto told = co_await std::move(asking);
    co_return told;
  } catch (const db::Error& error) {
    log::line(log::Level::debug, "audience", {}, "a portrait cannot be asked for",
              log::field("error", std::string_view(error.what())));
  }
  co_return std::nullopt;
}

drogon::Task<Result<Portraits::Answer>> Portraits::portrait(ViewerId viewer, bool chinese) {
  const auto facts = co_await db1_.read(
      [viewer](db::Connection& connection) { return store::facts(connection, {viewer}); });
  if (facts.empty()) co_return ErrorCode::viewer_not_found;
  auto key = keyOf(viewer);
  auto told = co_await ask(viewer);
  Answer answer;
  if (told && *told) {
    auto text = encodePortrait(**told);
    co_await cache_.set(key, std::move(text), kRemembered);
  } else if (!told) {
    const auto kept = co_await cache_.get(std::move(key));
    auto portrait = kept ? decodePortrait(*kept) : std::nullopt;
    if (!portrait) co_return ErrorCode::portrait_unavailable;
    told = std::move(portrait);
    answer.stale = true;
  }
  answer.portrait = analysis::shown(viewer, *told, chinese);
  answer.portrait.name = facts.front().name;
  answer.portrait.tags = facts.front().tags;
  co_return answer;
}

namespace {

http::Task<http::ResponsePtr> answer(Portraits& portraits, http::Call& call) {
  const auto viewer = call.pathId<ViewerId>(0, ErrorCode::viewer_not_found);
  const bool chinese = http::prefersChinese(call.request->getHeader("accept-language"));
  const auto found = http::orRefuse(co_await portraits.portrait(viewer, chinese));
  auto text = json::toText(found.portrait);
  text.pop_back();
  text += fmt::format(",\"stale\":{}}}", found.stale);
  co_return http::jsonResponse(200, std::move(text));
}

}  // namespace

void addPortraitRoutes(http::Router& router, Portraits& portraits) {
  router.add({http::Method::get, "/api/v1/viewers/{id}/portrait",
              http::Access::operators().orOwnViewer(),
              [&portraits](http::Call& call) { return answer(portraits, call); },
              http::Signing::none, http::kBodyLimit, "audience"});
}

}  // namespace tipflow::audience
