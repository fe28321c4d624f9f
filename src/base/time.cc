#include "base/time.h"

namespace tipflow {
namespace {

using std::chrono::sys_days;

constexpr Time kYear10000{sys_days{std::chrono::year{10'000} / 1 / 1}.time_since_epoch().count() *
                          kUsPerDay};

// Takes `digits` decimal digits off the front of `text`; nullopt when they are not there.
std::optional<int> takeNumber(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool takeChar(std::string_view& text, std::string_view oneOf) {
  if (text.empty() || oneOf.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Microseconds of an optional ".123…"; nullopt when the point has no digits behind it.
std::optional<std::int64_t> takeFraction(std::string_view& text) {
  if (text.empty() || text.front() != '.') return 0;
  text.remove_prefix(1);
  std::int64_t us = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits < 6) us = us * 10 + (text[digits] - '0');
    ++digits;
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (std::size_t i = digits; i < 6; ++i) us *= 10;
  text.remove_prefix(digits);
  return us;
}

// Minutes east of UTC.
std::optional<int> takeOffset(std::string_view& text) {
  if (takeChar(text, "Zz")) return 0;
  if (text.empty()) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!takeChar(text, "+-")) return std::nullopt;
  const auto hours = takeNumber(text, 2);
  if (!hours || *hours > 23 || !takeChar(text, ":")) return std::nullopt;
  const auto minutes = takeNumber(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

void putDigits(std::string& text, std::size_t place, std::size_t digits, std::int64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) {
    text[place + i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

std::string formatTime(Time time) {
  // Civil-from-days arithmetic of <chrono>; the digits are written by hand because a format string
  // costs more than everything else in a short answer or a line of the log.
  const std::chrono::sys_time<Duration> instant{Duration{time.us}};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(instant - day).count();
  std::string text = "0000-00-00T00:00:00.000Z";
  putDigits(text, 0, 4, static_cast<int>(date.year()));
  putDigits(text, 5, 2, static_cast<unsigned>(date.month()));
  putDigits(text, 8, 2, static_cast<unsigned>(date.day()));
  putDigits(text, 11, 2, ms / 3'600'000);
  putDigits(text, 14, 2, ms / 60'000 % 60);
  putDigits(text, 17, 2, ms / 1'000 % 60);
  putDigits(text, 20, 3, ms % 1'000);
  return text;
}

std::optional<Time> parseTime(std::string_view text) {
  const auto year = takeNumber(text, 4);
  if (!year || !takeChar(text, "-")) return std::nullopt;
  const auto month = takeNumber(text, 2);
  if (!month || !takeChar(text, "-")) return std::nullopt;
  const auto day = takeNumber(text, 2);
  if (!day || !takeChar(text, "Tt ")) return std::nullopt;
  const auto hour = takeNumber(text, 2);
  if (!hour || *hour > 23 || !takeChar(text, ":")) return std::nullopt;
  const auto minute = takeNumber(text, 2);
  if (!minute || *minute > 59 || !takeChar(text, ":")) return std::nullopt;
  const auto second = takeNumber(text, 2);
  if (!second || *second > 59) return std::nullopt;
  const auto fraction = takeFraction(text);
  const auto offset = fraction ? takeOffset(text) : std::nullopt;
  if (!offset || !text.empty()) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *year < 1970) return std::nullopt;
  const std::int64_t days = sys_days{date}.time_since_epoch().count();
  const Time time{days * kUsPerDay + *hour * kUsPerHour +
                  (*minute - *offset) * std::int64_t{60} * kUsPerSecond + *second * kUsPerSecond +
                  *fraction};
  // An offset can carry the first and last hours out of the years that have four digits.
  if (time < Time{} || time >= kYear10000) return std::nullopt;
  return time;
}

Time startOfHour(Time time) { return Time{time.us - time.us % kUsPerHour}; }

Time roundUpToMs(Time time) {
  const auto rest = time.us % kUsPerMs;
  return rest == 0 ? time : Time{time.us - rest + kUsPerMs};
}

Time SystemClock::now() const {
  return Time{
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

}  // namespace tipflow
