#include "console/blocks.h"

#include "console/block_store.h"

namespace tipflow::console {

std::optional<Rejection> refuseBlock(const Network& network, const Address& asker) {
  static const auto kLoopback4 = Network::parse("127.0.0.0/8").value();
  static const auto kLoopback6 = Network::parse("::1/128").value();
  const bool refused =
      network.contains(asker) || network.overlaps(kLoopback4) || network.overlaps(kLoopback6);
  return refused ? std::optional(Rejection{ErrorCode::would_block_yourself}) : std::nullopt;
}

drogon::Task<http::Page<Block>> Blocks::list(std::int64_t before, int pageSize) {
  auto work = [&, now = clock_.now()](db::Connection& connection) {
    return store::blocks(connection, now, before, pageSize + 1);
  };
  http::Page<Block> page;
  page.items = co_await db2_.read(work);
  if (page.items.size() > static_cast<std::size_t>(pageSize)) {
    page.items.pop_back();
    page.nextPageToken = http::makePageToken({page.items.back().id});
  }
  co_return page;
}

drogon::Task<Result<Block>> Blocks::add(NewBlock wanted, Address asker, std::int64_t by) {
  const auto network = Network::parse(wanted.network.value);
  if (!network) {
    throw BadRequest("network", ErrorCode::invalid_format,
                     "must be a network such as 203.0.113.0/24 or 2001:db8::/32, or one address");
  }
  const Time now = clock_.now();
  if (wanted.until && *wanted.until <= now) {
    throw BadRequest("until", ErrorCode::out_of_range, "must be in the future");
  }
  if (auto refusal = refuseBlock(*network, asker)) co_return *std::move(refusal);
  auto work = [&](db::Connection& connection) {
    const auto id =
        store::addBlock(connection, network->text(), wanted.reason.value, wanted.until, by, now);
    return store::block(connection, id, now).value();
  };
  const auto added = co_await db2_.write(work);
  bus_.publish(topic::kBlocksChanged, {});
  co_return added;
}

drogon::Task<Result<Block>> Blocks::remove(std::int64_t id) {
  auto work = [&, now = clock_.now()](db::Connection& connection) {
    auto found = store::block(connection, id, now);
    if (found) store::deleteBlock(connection, id);
    return found;
  };
  const auto removed = co_await db2_.write(work);
  if (!removed) co_return ErrorCode::ip_block_not_found;
  bus_.publish(topic::kBlocksChanged, {});
  co_return *removed;
}

drogon::Task<std::shared_ptr<const NetworkSet>> Blocks::networks() {
  auto work = [now = clock_.now()](db::Connection& connection) {
    return networks(connection, now);
  };
  co_return co_await db2_.read(work);
}

std::shared_ptr<const NetworkSet> Blocks::networks(db::Connection& connection, Time now) {
  std::vector<Network> networks;
  for (const auto& text : store::blockedNetworks(connection, now)) {
    if (const auto network = Network::parse(text)) networks.push_back(*network);
  }
  return std::make_shared<const NetworkSet>(networks);
}

}  // namespace tipflow::console
