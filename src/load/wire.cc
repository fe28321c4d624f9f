#include "load/wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace tipflow::load {
namespace {

constexpr std::size_t kHeadMost = 16 * 1024;
constexpr std::size_t kBodyMost = 1024 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool sameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> wholeNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') {
    return std::nullopt;
  }
  return value;
}

void appendStart(std::string& out, std::string_view method, const Request& request) {
  out += method;
  out += request.target;
  out += " HTTP/1.1\r\n";
  out += request.headers;
}

void appendBody(std::string& out, std::string_view body) {
  out += "Content-Type: application/json\r\nContent-Length: ";
  appendNumber(out, static_cast<std::int64_t>(body.size()));
  out += "\r\n\r\n";
  out += body;
}

// What the header lines say that matters here.
struct Head {
  std::optional<std::size_t> contentLength;
  bool malformed = false;
};

void readHeader(std::string_view line, Head& head, Answer& answer) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    head.malformed = true;
    return;
  }
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  switch (lower(name.front())) {
    case 'c':
      if (sameWord(name, "content-length")) {
        const auto length = wholeNumber<std::size_t>(value);
        if (!length || *length > kBodyMost ||
            (head.contentLength && *head.contentLength != *length)) {
          head.malformed = true;
        }
        head.contentLength = length;
      } else if (sameWord(name, "connection")) {
        answer.closes = sameWord(value, "close");
      }
      return;
    case 'r':
      if (sameWord(name, "retry-after")) answer.retryAfterSeconds = wholeNumber<int>(value);
      return;
    case 't':
      if (sameWord(name, "transfer-encoding")) head.malformed = true;
      return;
    default:
      return;
  }
}

std::string_view afterMemberName(std::string_view json, std::string_view name) {
  std::array<char, 48> quoted;
  if (name.size() + 2 > quoted.size()) return {};
  quoted[0] = '"';
  std::memcpy(quoted.data() + 1, name.data(), name.size());
  quoted[name.size() + 1] = '"';
  const std::string_view wanted(quoted.data(), name.size() + 2);
  for (auto at = json.find(wanted); at != std::string_view::npos; at = json.find(wanted, at + 1)) {
    auto rest = trimmed(json.substr(at + wanted.size()));
    if (rest.empty() || rest.front() != ':') continue;  // a value, not a name
    return trimmed(rest.substr(1));
  }
  return {};
}

}  // namespace

std::string Url::authority() const {
  const bool isV6 = host.find(':') != std::string::npos;
  return (isV6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<Url> parseUrl(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  Url url;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    url.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    url.host = text.substr(0, text.find(':'));
    port = text.substr(url.host.size());
  }
  if (url.host.empty() || url.host.find_first_of("/?#@[] \t\r\n") != std::string::npos) {
    return std::nullopt;
  }
  if (port.empty()) return url;
  const auto number = port.size() > 1 && port.front() == ':'
                          ? wholeNumber<std::uint16_t>(port.substr(1))
                          : std::nullopt;
  if (!number || *number == 0) return std::nullopt;
  url.port = *number;
  return url;
}

std::string senderHeaders(const Url& url, std::string_view token) {
  std::string headers = "Host: " + url.authority() + "\r\n";
  if (!token.empty()) {
    headers += "Authorization: Bearer ";
    headers += token;
    headers += "\r\n";
  }
  return headers;
}

void appendGet(std::string& out, const Request& request) {
  appendStart(out, "GET ", request);
  out += "\r\n";
}

void appendPost(std::string& out, const Request& request) {
  appendStart(out, "POST ", request);
  appendBody(out, request.body);
}

void appendSignedPost(std::string& out, const Request& request, const Stamp& stamp) {
  thread_local std::string text;
  text = "POST\n";
  text += request.target;
  text += '\n';
  const auto timestampAt = text.size();
  appendNumber(text, stamp.timestampMs);
  const auto timestampEnd = text.size();
  text += '\n';
  const auto nonceAt = text.size();
  appendHex(text, stamp.nonce);
  const auto nonceEnd = text.size();
  text += '\n';
  crypto::appendHex(text, crypto::bytesOf(crypto::sha256Digest(request.body)));
  const std::string_view all = text;

  appendStart(out, "POST ", request);
  out += "X-Tipflow-Timestamp: ";
  out += all.substr(timestampAt, timestampEnd - timestampAt);
  out += "\r\nX-Tipflow-Nonce: ";
  out += all.substr(nonceAt, nonceEnd - nonceAt);
  out += "\r\nX-Tipflow-Signature: v1=";
  crypto::appendHex(out, crypto::bytesOf(stamp.key.sign(all)));
  out += "\r\n";
  appendBody(out, request.body);
}

void appendHex(std::string& out, TraceId id) {
  const auto bytes = id.bytes();
  crypto::appendHex(out, {bytes.data(), bytes.size()});
}

void appendNumber(std::string& out, std::int64_t number) {
  std::array<char, 20> digits;
  const auto [end, _] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

Parsed parseAnswer(std::string_view bytes) {
  constexpr std::string_view kStart = "HTTP/1.";  // then the minor version, a blank, three digits
  constexpr std::size_t kStatusAt = kStart.size() + 2;
  const Parsed malformed{ParseState::malformed};

  if (!kStart.starts_with(bytes.substr(0, kStart.size()))) return malformed;
  const auto head = bytes.substr(0, kHeadMost);
  const auto headEnd = head.find("\r\n\r\n");
  if (headEnd == std::string_view::npos) {
    return bytes.size() < kHeadMost ? Parsed{} : malformed;
  }
  auto lines = bytes.substr(0, headEnd + 2);
  auto lineEnd = lines.find("\r\n");
  const auto statusLine = lines.substr(0, lineEnd);
  lines.remove_prefix(lineEnd + 2);

  Parsed parsed{ParseState::complete};
  auto& answer = parsed.answer;
  if (statusLine.size() < kStatusAt + 3 || statusLine[kStatusAt - 1] != ' ') return malformed;
  const auto status = wholeNumber<int>(statusLine.substr(kStatusAt, 3));
  if (!status || *status < 200 || *status > 599) return malformed;
  answer.status = *status;
  answer.closes = statusLine[kStatusAt - 2] == '0';

  Head found;
  while (!lines.empty()) {
    lineEnd = lines.find("\r\n");
    readHeader(lines.substr(0, lineEnd), found, answer);
    lines.remove_prefix(lineEnd + 2);
  }
  if (found.malformed) return malformed;
  const bool hasNoBody = answer.status == 204 || answer.status == 304;
  // A body without a length ends with the connection; nothing tells it from a torn one.
  if (!hasNoBody && !found.contentLength) return malformed;
  const auto length = hasNoBody ? 0 : *found.contentLength;
  const auto bodyAt = headEnd + 4;
  if (bytes.size() - bodyAt < length) return Parsed{};
  answer.body = bytes.substr(bodyAt, length);
  parsed.size = bodyAt + length;
  return parsed;
}

std::optional<std::int64_t> integerMember(std::string_view json, std::string_view name) {
  const auto rest = afterMemberName(json, name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{} || end == rest.data() + rest.size()) return std::nullopt;
  if (*end == '.' || *end == 'e' || *end == 'E') return std::nullopt;
  return value;
}

std::optional<std::string_view> textMember(std::string_view json, std::string_view name) {
  const auto rest = afterMemberName(json, name);
  if (rest.empty() || rest.front() != '"') return std::nullopt;
  const auto end = rest.find_first_of("\"\\", 1);
  if (end == std::string_view::npos || rest[end] != '"') return std::nullopt;
  return rest.substr(1, end - 1);
}

}  // namespace tipflow::load
