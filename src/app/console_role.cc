#include "app/console_role.h"

#include "platform/log.h"
#include "platform/security/crypto.h"

namespace tipflow::app {
namespace {

constexpr std::size_t kGoodPassword = 8;
constexpr std::size_t kGeneratedBytes = 15;

}  // namespace

std::string ConsoleRole::start() {
  auto& g = ground_;
  const auto connection = g.db2.connect();
  if (console::hasAdmin(*connection)) return {};
  const auto& given = g.config.adminPassword;
  if (!given.empty() && given.size() < kGoodPassword) {
    log::warn("console", "the password of admin is shorter than people may choose theirs");
  }
  const auto password =
      given.empty() ? crypto::toBase64Url(crypto::randomBytes(kGeneratedBytes)) : given;
  const auto hash =
      crypto::hashPassword(password, {g.config.passwordMemoryKib, g.config.passwordPasses});
  const bool added = console::addFirstAdmin(*connection, hash, g.clock.now());
  return added && given.empty() ? password : std::string{};
}

}  // namespace tipflow::app
