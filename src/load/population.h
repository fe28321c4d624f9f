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
#include "platform/security/crypto.h"

namespace tipflow::load {

/// Someone logged in: a viewer, or the operator who sends batches and reads the books.
struct Sender {
  std::int64_t id = 0;
  PrincipalKind kind = PrincipalKind::viewer;
  std::string name = {};     ///< empty: a guest, which cannot log in again
  std::string headers = {};  ///< of senderHeaders, with the token
  crypto::HmacKey signingKey = {};
  Time expiresAt = {};
};

struct Room {
  std::int64_t id = 0;
  /// What its session had received before the run; nullopt when the node does not say.
  std::optional<std::int64_t> revenueBefore = {};
};

/// Tips and their sum.
struct Sums {
  std::uint64_t tips = 0;
  std::int64_t amountFen = 0;

  void add(const Sums& other) {
    tips += other.tips;
    amountFen += other.amountFen;
  }
  friend bool operator==(const Sums&, const Sums&) = default;
};

struct Population {
  std::vector<Room> rooms;  ///< open ones, the most popular first
  std::vector<Sender> viewers;
  std::optional<Sender> operator_ = {};
  /// All tips of the audience database before the run; nullopt when nobody could ask.
  std::optional<Sums> booksBefore = {};
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

/// The tips of `GET /finance/reconciliation`; nullopt when the body is not what the contract says.
std::optional<Sums> readBooks(std::string_view body);

/// `name` is empty for a guest.
Sender makeSender(const Url& url, PrincipalKind kind, std::string name, Session session);

/// `POST /api/v1/tips was answered 422 viewer_underage`.
std::string describe(std::string_view what, const Answer& answer);

}  // namespace tipflow::load
