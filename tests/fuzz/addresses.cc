// Addresses and networks: refused, or read back from how they are shown; a set holds exactly what
// its networks hold. Input: a list of networks, a line end, an address.
#include "platform/http/address.h"

#include <stdexcept>

#include "base/text.h"
#include "property.h"

namespace tipflow {
namespace {

using fuzz::require;

void checkNetworks(std::string_view list, const std::optional<Address>& address) {
  std::vector<Network> networks;
  bool all = true;
  for (std::string_view rest = list; !rest.empty();) {
    const auto network = Network::parse(trimmed(fuzz::take(rest, ',')));
    all = all && network.has_value();
    if (!network) continue;
    require(Network::parse(network->text()) == network,
            "a network reads back from how it is shown");
    require(network->contains(network->first) && network->contains(network->last),
            "a network holds its ends");
    networks.push_back(*network);
  }
  bool taken = true;
  try {
    (void)NetworkSet::parse(list);
  } catch (const std::invalid_argument&) {
    taken = false;
  }
  require(taken == all, "a list is taken when each entry is");
  if (!address) return;
  bool held = false;
  for (const auto& network : networks) held = held || network.contains(*address);
  require(NetworkSet(networks).contains(*address) == held, "a set holds what its networks hold");
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tipflow::Address;
  auto input = tipflow::fuzz::asText(data, size);
  const auto list = tipflow::fuzz::take(input, '\n');
  const auto address = Address::parse(input);
  if (address) {
    tipflow::fuzz::require(Address::parse(address->text()) == address,
                           "an address reads back from how it is shown");
  }
  tipflow::checkNetworks(list, address);
  return 0;
}
