// HTTP/1.1 as bytes: requests appended to a buffer, answers read from one. Pure, no I/O; only what
// the load generator needs of it (no chunked bodies, no TLS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/trace_id.h"
#include "platform/security/crypto.h"

namespace tipflow::load {

/// Where a node answers.
struct Url {
  std::string host;
  std::uint16_t port = 80;
  /// `host:port` as the Host header has it.
  [[nodiscard]] std::string authority() const;
};

/// Reads `http://host:port` (port 80 when left out, an IPv6 host in brackets, at most a slash
/// after it); nullopt for anything else.
std::optional<Url> parseUrl(std::string_view text);

/// The header lines that every request of one sender has: Host, and Authorization unless `token`
/// is empty. Made once, used for each of the sender's requests.
std::string senderHeaders(const Url& url, std::string_view token);

struct Request {
  std::string_view target;   ///< path and query
  std::string_view headers;  ///< of senderHeaders
  std::string_view body;     ///< JSON; not used by a GET
};

/// What a signature needs beside the request (api/openapi.yaml, signed requests).
struct Stamp {
  const crypto::HmacKey& key;
  std::int64_t timestampMs = 0;
  TraceId nonce;
};

void appendGet(std::string& out, const Request& request);
void appendPost(std::string& out, const Request& request);
void appendSignedPost(std::string& out, const Request& request, const Stamp& stamp);

/// 32 lower-case hex digits, without an allocation.
void appendHex(std::string& out, TraceId id);
void appendNumber(std::string& out, std::int64_t number);

/// One answer; `body` points into the bytes it was read from.
struct Answer {
  int status = 0;
  std::string_view body = {};
  std::optional<int> retryAfterSeconds = {};
  bool closes = false;  ///< the server closes the connection after it
};

enum class ParseState {
  complete,    ///< an answer, `size` bytes long
  incomplete,  ///< the beginning of an answer: read more
  malformed,   ///< not an answer this reader knows: give the connection up
};

struct Parsed {
  ParseState state = ParseState::incomplete;
  std::size_t size = 0;
  Answer answer = {};
};

/// Reads the first answer in `bytes`, which may go on after it.
Parsed parseAnswer(std::string_view bytes);

/// The value of the first integer member `name` (such as `amount`) in `json`, at any depth. Good
/// for the flat answers it is used on: inside a string a quote is escaped, so text never looks like
/// a member's name.
std::optional<std::int64_t> integerMember(std::string_view json, std::string_view name);
/// The same for a string without escapes, such as an error's `code`.
std::optional<std::string_view> textMember(std::string_view json, std::string_view name);

}  // namespace tipflow::load
