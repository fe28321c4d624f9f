#include "console/record_filter.h"

#include <cstring>
#include <initializer_list>

#include "base/text.h"

namespace tipflow::console {
namespace {

// Terms and marks are on disk: changing one makes older files unsearchable.
// Terms are words of the index's tokenizer: letters and digits, and everything that is not ASCII.
// The first letter says what kind they are.
constexpr char kWord = 'w';
constexpr char kSeverity = 's';  // of a log line: that grave or graver, of any role or of this one
constexpr char kRoot = 'r';      // of a root span: that slow or slower
constexpr char kFailed = 'f';    // of a root span that failed

constexpr std::size_t kUsualTerms = 4'096;  // of a block
// Shorter than a trace id, which no two lines share.
constexpr std::size_t kLongestRepeated = 31;

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

constexpr std::uint64_t kMixer = 0x9E3779B97F4A7C15ULL;

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 32U)) * kMixer;
  x = (x ^ (x >> 29U)) * 0xBF58476D1CE4E5B9ULL;
  return x ^ (x >> 32U);
}

std::uint64_t hashOf(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = seed + text.size();
  std::uint64_t bytes = 0;
  for (; text.size() > sizeof bytes; text.remove_prefix(sizeof bytes)) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
    hash = (hash ^ bytes) * kMixer;
    hash ^= hash >> 32U;
  }
  bytes = 0;
  if (!text.empty()) std::memcpy(&bytes, text.data(), text.size());
  return mixed(hash ^ bytes);
}

// What is hashed, so that equal texts of two kinds are two things.
constexpr std::uint64_t kTermSeed = 0x100;
constexpr std::uint64_t kNumberSeed = 0x200;
constexpr std::uint64_t kValueSeed = 0x300;
constexpr std::uint64_t kRoleSeed = 0x400;

// Two that share a mark cost a look into a block: `fits` tells them apart.
std::uint64_t markOf(const TraceId& id) { return mixed(mixed(id.high) + id.low); }
/// Of a word that begins with a digit. Nobody looks for the beginning of such a word.
std::uint64_t markOf(std::string_view number) { return hashOf(number, kNumberSeed); }

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

BlockTerms::BlockTerms() { seen_.reserve(kUsualTerms); }

void BlockTerms::put(std::string_view term) {
  if (!isNew(hashOf(term, kTermSeed))) return;
  words_ += term;
  words_ += ' ';
}

void BlockTerms::mark(std::uint64_t mark) {
  if (isNew(mark)) marks_.push_back(mark);
}

// As eachWordOf goes through it.
void BlockTerms::add(const Record& record) {
  isLog_ = record.kind == RecordKind::log;
  addText(record.traceId);
  addValue(record.text);
  addValue(record.node);
  for (const auto& field : record.fields) {
    if (!isFraction(field.value)) addValue(field.value);
  }
  if (isLog_) {
    addLog(record);
  } else if (record.isRoot()) {
    addRoot(record);
  }
}

// Most values of a line are those of the line before; they are taken apart once a block.
void BlockTerms::addValue(std::string_view value) {
  if (value.size() > kLongestRepeated) return addText(value);
  if (std::all_of(value.begin(), value.end(), isDigit)) {
    if (isLog_) mark(markOf(value));
  } else if (isNew(hashOf(value, kValueSeed))) {
    addText(value);
  }
}

void BlockTerms::addText(std::string_view text) {
  std::array<char, kLongestWord + 1> term{kWord};
  eachWord(
      text,
      [&](std::string_view word) {
        if (!isLog_) return;  // nobody looks for the words of spans
        if (isDigit(word.front())) return mark(markOf(word));
        std::copy(word.begin(), word.end(), term.begin() + 1);
        put({term.data(), word.size() + 1});
      },
      [&](const TraceId& id) { mark(markOf(id)); });
}

void BlockTerms::addLog(const Record& record) {
  if (!isNew(hashOf(record.role, kRoleSeed + static_cast<std::uint64_t>(record.severity)))) return;
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

WantedTerms LogFilter::terms() const {
  WantedTerms out;
  if (!role.empty() || least > Severity::debug) {
    require(out.words, phrase(severityTerm(least, role.empty() ? std::string{} : plain(role))));
  }
  if (trace) out.marks.push_back(markOf(*trace));
  for (const auto& id : wanted.ids) out.marks.push_back(markOf(id));
  for (std::size_t i = 0; i < wanted.words.size(); ++i) {
    const auto& word = wanted.words[i];
    const bool prefix = wanted.lastIsPrefix && i + 1 == wanted.words.size();
    if (isDigit(word.front())) {
      out.marks.push_back(markOf(word));
    } else {
      require(out.words, phrase(kWord + word) + (prefix ? " *" : ""));
    }
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

WantedTerms RootFilter::terms() const {
  const auto subject = !name.empty()   ? byName(asJson(name))
                       : !role.empty() ? byRole(role)
                                       : std::string{};
  WantedTerms out;
  require(out.words, phrase(rootTerm(slowness(least), subject)));
  if (failed.value_or(false)) require(out.words, phrase(failedTerm(subject)));
  return out;
}

bool RootFilter::fits(const Record& record) const {
  return record.isRoot() && record.took >= least && (role.empty() || record.role == role) &&
         (!failed || record.failed == *failed) && (name.empty() || record.text == asJson(name));
}

WantedTerms TraceFilter::terms() const {
  WantedTerms out;
  out.anyMark = true;
  for (const auto& id : ids) out.marks.push_back(markOf(id));
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
