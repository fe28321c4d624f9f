// The simulated people: what is known of each once it exists and is logged in, and the bodies and
// answers by which the public API makes and knows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enums.h"
#include "base/time.h"
#include "load/wire.h"

namespace tipflow::load {

/// A logged-in viewer.
struct Viewer {
  std::int64_t id = 0;
  std::string name;        ///< empty: a guest, which cannot log in again
  std::string headers;     ///< of senderHeaders, with the token
  std::string signingKey;  ///< raw bytes
  Time expiresAt;
};

struct Population {
  std::vector<std::int64_t> rooms;  ///< ids of open rooms, the most popular first
  std::vector<Viewer> viewers;
};

/// `sim-anchor-001`, `sim-viewer-0001`: the same names each time, so that a second run reuses them.
std::string anchorName(int number);
std::string viewerName(int number);

/// Bodies of POST /anchors, POST /viewers and POST /auth/login. Gender, age, region, category and
/// tags follow from the number.
std::string anchorRegistration(int number, const std::string& password);
std::string viewerRegistration(int number, const std::string& password);
std::string loginBody(PrincipalKind kind, const std::string& name, const std::string& password);

/// What a login, or becoming a guest, answers.
struct Session {
  std::int64_t id = 0;
  std::string token;
  std::string signingKey;  ///< raw bytes
  Time expiresAt;
};
/// nullopt when the body is not what the contract says.
std::optional<Session> readSession(std::string_view body);

/// `name` is empty for a guest.
Viewer makeViewer(const Url& url, std::string name, Session session);

/// `POST /api/v1/tips was answered 422 viewer_underage`.
std::string describe(std::string_view what, const Answer& answer);

}  // namespace tipflow::load
