#include "console/record_filter.h"

#include <functional>

#include "base/text.h"

namespace tipflow::console {
namespace {

// Terms are words of the index's tokenizer: letters and digits, and everything that is not ASCII.
// The first letter says what kind they are. They are on disk: changing one makes older files
// unsearchable.
constexpr char kWord = 'w';
constexpr char kId = 'i';
constexpr char kSeverity = 's';  // of a log line: that grave or graver, of any role or of this one
constexpr char kRoot = 'r';      // of a root span: that slow or slower
constexpr char kFailed = 'f';    // of a root span that failed

// Blocks with a root span at least this slow are found by it. Beyond the last: by the last.
constexpr std::array<std::int64_t, 15> kSlowMs{1,   2,     5,     10,    20,     50,     100,   200,
                                               500, 1'000, 2'000, 5'000, 10'000, 20'000, 50'000};

/// How many of the bounds it reaches.
std::size_t slowness(Duration took) {
  std::size_t reached = 0;
  while (reached < kSlowMs.size() && took.count() >= kSlowMs[reached] * kUsPerMs) ++reached;
  return reached;
}

// Two names that become one cost a look into a block, no more: `fits` tells them apart.
std::string plain(std::string_view name) {
  std::string out(name.substr(0, kLongestWord));
  for (auto& c : out) c = isWordByte(c) ? lowered(c) : 'x';
  return out;
}
std::string byRole(std::string_view role) { return 'r' + plain(role); }
std::string byName(std::string_view name) { return 'n' + plain(name); }

std::string term(char kind, char grade, std::string_view subject) {
  std::string out{kind, grade};
  out += subject;
  return out;
}
std::string severityTerm(Severity least, std::string_view role) {
  return term(kSeverity, static_cast<char>('0' + static_cast<int>(least)), role);
}
std::string rootTerm(std::size_t slow, std::string_view subject) {
  return term(kRoot, static_cast<char>('a' + slow), subject);
}
std::string failedTerm(std::string_view subject) { return term(kFailed, kFailed, subject); }
// 60 bits of it, mixed: half the size of an id in full, and two that share a term are told apart by
// `fits`.
std::string idTerm(const TraceId& id) {
  auto mixed = (id.high ^ (id.low << 32 | id.low >> 32)) * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 29) ^ id.low) * 0xBF58476D1CE4E5B9ULL;
  mixed ^= mixed >> 32;
  std::string term{kId};
  for (int shift = 55; shift >= 0; shift -= 5) {
    term += "0123456789abcdefghijklmnopqrstuv"[(mixed >> shift) & 31];
  }
  return term;
}

std::string phrase(std::string_view term) { return '"' + std::string(term) + '"'; }

void require(std::string& expression, const std::string& term) {
  if (!expression.empty()) expression += " AND ";
  expression += term;
}

// The last group of a UUID: contiguous however the id is written.
std::string tailOf(const TraceId& id) { return id.hex().substr(20); }

bool isId(std::string_view text, const TraceId& id) { return TraceId::parse(text) == id; }

std::string asJson(std::string_view text) {
  std::string out;
  appendJsonString(out, text);
  return out.substr(1, out.size() - 2);
}

}  // namespace

void BlockTerms::put(std::string_view term) {
  if (!seen_.insert(std::hash<std::string_view>{}(term)).second) return;
  text_ += term;
  text_ += ' ';
}

void BlockTerms::add(const Record& record) {
  const bool isLog = record.kind == RecordKind::log;
  std::array<char, kLongestWord + 1> term{kWord};
  eachWordOf(
      record,
      [&](std::string_view word) {
        if (!isLog) return;  // nobody looks for the words of spans
        std::copy(word.begin(), word.end(), term.begin() + 1);
        put({term.data(), word.size() + 1});
      },
      [&](const TraceId& id) { put(idTerm(id)); });
  if (isLog) {
    addLog(record);
  } else if (record.isRoot()) {
    addRoot(record);
  }
}

void BlockTerms::addLog(const Record& record) {
  const auto role = plain(record.role);
  put(severityTerm(Severity::debug, role));
  for (int s = static_cast<int>(Severity::info); s <= static_cast<int>(record.severity); ++s) {
    put(severityTerm(static_cast<Severity>(s), {}));
    put(severityTerm(static_cast<Severity>(s), role));
  }
}

void BlockTerms::addRoot(const Record& record) {
  for (const auto& subject : {std::string{}, byRole(record.role), byName(record.text)}) {
    for (std::size_t slow = 0; slow <= slowness(record.took); ++slow) put(rootTerm(slow, subject));
    if (record.failed) put(failedTerm(subject));
  }
}

std::string LogFilter::expression() const {
  std::string out;
  if (!role.empty() || least > Severity::debug) {
    require(out, phrase(severityTerm(least, role.empty() ? std::string{} : plain(role))));
  }
  if (trace) require(out, phrase(idTerm(*trace)));
  for (const auto& id : wanted.ids) require(out, phrase(idTerm(id)));
  for (std::size_t i = 0; i < wanted.words.size(); ++i) {
    const bool prefix = wanted.lastIsPrefix && i + 1 == wanted.words.size();
    require(out, phrase(kWord + wanted.words[i]) + (prefix ? " *" : ""));
  }
  return out;
}

std::vector<std::string> LogFilter::needles() const {
  auto all = wanted.words;
  if (trace) all.push_back(tailOf(*trace));
  for (const auto& id : wanted.ids) all.push_back(tailOf(id));
  return all;
}

bool LogFilter::fits(const Record& record) const {
  return record.severity >= least && (role.empty() || record.role == role) &&
         (!trace || isId(record.traceId, *trace) || isId(record.tip, *trace)) &&
         hasAll(record, wanted);
}

std::string RootFilter::expression() const {
  const auto subject = !name.empty()   ? byName(asJson(name))
                       : !role.empty() ? byRole(role)
                                       : std::string{};
  std::string out;
  require(out, phrase(rootTerm(slowness(least), subject)));
  if (failed.value_or(false)) require(out, phrase(failedTerm(subject)));
  return out;
}

bool RootFilter::fits(const Record& record) const {
  return record.isRoot() && record.took >= least && (role.empty() || record.role == role) &&
         (!failed || record.failed == *failed) && (name.empty() || record.text == asJson(name));
}

std::string TraceFilter::expression() const {
  std::string out;
  for (const auto& id : ids) {
    if (!out.empty()) out += " OR ";
    out += phrase(idTerm(id));
  }
  return out;
}

std::vector<std::string> TraceFilter::needles() const {
  if (ids.size() != 1) return {};
  return {tailOf(ids.front())};
}

bool TraceFilter::fits(const Record& record) const {
  const auto id = TraceId::parse(ofTips ? record.tip : record.traceId);
  return id && std::find(ids.begin(), ids.end(), *id) != ids.end();
}

}  // namespace tipflow::console
