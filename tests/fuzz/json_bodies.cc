// Any bytes as the body of any request: either a value within its bounds that reads back from its
// own JSON, or a refusal that names what is wrong. Request types of new routes are added to
// `Bodies`.
#include "anchor/model.h"
#include "audience/model.h"
#include "finance/model.h"
#include "platform/json.h"
#include "property.h"

using tipflow::fuzz::require;

namespace tipflow {
namespace {

// The shape of the login request, whose type is private to its routes.
struct Login {
  PrincipalKind kind = PrincipalKind::viewer;
  Text<1, 64> name;
  Secret<1, 128> password;
};
BOOST_DESCRIBE_STRUCT(Login, (), (kind, name, password))

using Bodies =
    boost::mp11::mp_list<anchor::RegisterAnchor, anchor::ChangeAnchor, anchor::ChangeRoom,
                         audience::RegisterViewer, audience::ChangeViewer, audience::TipRequest,
                         audience::TipBatchRequest, finance::SetShareRate,
                         finance::RequestWithdrawal, finance::Sandbox, Login>;

// What was taken lies within the bounds of its type, at every depth.
template <class T>
void checkBounds(const T& value);
template <std::int64_t Least, std::int64_t Most>
void checkBounds(const Ranged<Least, Most>& v) {
  require(v.value >= Least && v.value <= Most, "a number lies within its bounds");
}
template <std::size_t Least, std::size_t Most>
void checkBounds(const Text<Least, Most>& v) {
  const auto length = json::codePoints(v.value);
  require(length >= Least && length <= Most, "a text has a length within its bounds");
  require(!hasControl(v.value), "a text has no control characters");
  require(trimmed(v.value) == v.value, "a text is trimmed");
}
template <std::size_t Least, std::size_t Most>
void checkBounds(const Secret<Least, Most>& v) {
  require(v.value.size() >= Least && v.value.size() <= Most,
          "a secret has a size within its bounds");
}
template <class T, std::size_t Least, std::size_t Most>
void checkBounds(const json::List<T, Least, Most>& v) {
  require(v.items.size() >= Least && v.items.size() <= Most,
          "a list has a length within its bounds");
  for (const auto& item : v.items) checkBounds(item);
}
template <class T>
void checkBounds(const std::optional<T>& v) {
  if (v) checkBounds(*v);
}
template <class T>
void checkBounds(const T& value) {
  if constexpr (boost::describe::has_describe_members<T>::value) {
    using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
    boost::mp11::mp_for_each<Members>(
        [&](auto member) { checkBounds(value.*decltype(member)::pointer); });
  }
}

void checkRefusal(const Rejection& rejection) {
  require(
      rejection.code == ErrorCode::malformed_json || rejection.code == ErrorCode::invalid_request,
      "a body is malformed or invalid, nothing else");
  require(!rejection.detail.empty() || !rejection.errors.empty(), "a refusal says what is wrong");
  require(rejection.errors.size() <= 20, "the list of faults is bounded");
  require(fuzz::isUtf8(rejection.detail), "the detail is UTF-8");
  for (const auto& error : rejection.errors) {
    require(!error.field.empty() || error.code == ErrorCode::unknown_field, "a fault has a field");
    require(!error.detail.empty(), "a fault is explained");
    require(error.field.size() <= 256, "a field's name is not an echo of any length");
    require(fuzz::isUtf8(error.field) && fuzz::isUtf8(error.detail), "a fault is UTF-8");
  }
}

template <class Body>
void checkBody(std::string_view text) {
  Body body;
  try {
    body = json::readBody<Body>(text);
  } catch (const BadRequest& refused) {
    checkRefusal(refused.rejection());
    return;
  }
  checkBounds(body);
  const auto written = json::toText(body);
  require(json::toText(json::readBody<Body>(written)) == written,
          "what was accepted is read back from its own JSON");
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tipflow::fuzz::asText(data, size);
  boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, tipflow::Bodies>>(
      [&](auto body) { tipflow::checkBody<typename decltype(body)::type>(text); });
  return 0;
}
