#include "load/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tipflow::load {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 300;
constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kTop = 14;
constexpr double kBottom = 46;
constexpr int kXTicks = 8;
constexpr int kYTicks = 5;
constexpr double kJustBeyond = 1.03;  // a tick so little past the last value is shown
constexpr double kLeastOnLogarithmic = 0.01;

struct Scale {
  double least = 0;
  double most = 1;
  double fromPixel = 0;
  double toPixel = 1;
  bool logarithmic = false;

  [[nodiscard]] double pixel(double value) const {
    const auto place = [this](double v) {
      return logarithmic ? std::log10(std::max(v, least)) : v;
    };
    const double span = place(most) - place(least);
    const double part = span > 0 ? (place(value) - place(least)) / span : 0;
    return fromPixel + std::clamp(part, 0.0, 1.0) * (toPixel - fromPixel);
  }
};

// 25,000 as 25k: an axis has no room for more.
std::string shortNumber(double value) {
  if (value >= 1'000'000) return fmt::format("{:g}M", value / 1'000'000);
  if (value >= 1'000) return fmt::format("{:g}k", value / 1'000);
  return fmt::format("{:g}", value);
}

std::string path(const Line& line, const Scale& x, const Scale& y) {
  std::string text;
  for (const auto& point : line.points) {
    text += fmt::format("{}{:.1f} {:.1f}", text.empty() ? "M" : "L", x.pixel(point.x),
                        y.pixel(point.y));
  }
  return fmt::format(R"(<path class="line {}{}" d="{}"/>)", line.style,
                     line.dashed ? " dashed" : "", text);
}

std::string axes(const Chart& chart, const Scale& x, const Scale& y,
                 const std::vector<Tick>& xTicks, const std::vector<Tick>& yTicks) {
  std::string text;
  for (const auto& tick : yTicks) {
    const double at = y.pixel(tick.at);
    text += fmt::format(
        R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
        kLeft, kWidth - kRight, at, at, kLeft - 8, at + 4, tick.label);
  }
  for (const auto& tick : xTicks) {
    const double at = x.pixel(tick.at);
    text += fmt::format(
        R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/><text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)",
        at, at, kTop, kHeight - kBottom, at, kHeight - kBottom + 18, tick.label);
  }
  text += fmt::format(
      R"svg(<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text><text class="axis" transform="translate(14 {}) rotate(-90)" text-anchor="middle">{}</text>)svg",
      (kLeft + kWidth - kRight) / 2, kHeight - 8, escaped(chart.xTitle),
      (kTop + kHeight - kBottom) / 2, escaped(chart.yTitle));
  return text;
}

std::string legend(const Chart& chart) {
  std::string text = R"(<p class="legend">)";
  for (const auto& line : chart.lines) {
    text += fmt::format(R"(<span><i class="key {}{}"></i>{}</span>)", line.style,
                        line.dashed ? " dashed" : "", escaped(line.name));
  }
  return text + "</p>";
}

}  // namespace

std::vector<Tick> roundTicks(double most, int count) {
  most = std::max(most, 1e-9);
  const double rough = most / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double round : {1.0, 2.0, 5.0}) {
    if (round * power >= rough * (1 - 1e-9)) {
      step = round * power;
      break;
    }
  }
  std::vector<Tick> ticks;
  for (int i = 0; i == 0 || ticks.back().at < most * (1 - 1e-9); ++i) {
    ticks.push_back({i * step, shortNumber(i * step)});
  }
  return ticks;
}

std::vector<Tick> logarithmicTicks(double least, double most) {
  constexpr int kManyPowers = 3;
  const int first = static_cast<int>(std::floor(std::log10(least) + 1e-9));
  const int last = static_cast<int>(std::ceil(std::log10(most) - 1e-9));
  std::vector<Tick> ticks;
  for (int power = first; power <= last; ++power) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (digit > 1 && (last - first > kManyPowers || power == last)) continue;
      const double at = digit * std::pow(10.0, power);
      ticks.push_back({at, shortNumber(at)});
    }
  }
  return ticks;
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string draw(const Chart& chart) {
  double xMost = 0;
  double yMost = 0;
  double yLeast = std::numeric_limits<double>::infinity();
  bool any = false;
  for (const auto& line : chart.lines) {
    for (const auto& point : line.points) {
      any = true;
      xMost = std::max(xMost, point.x);
      yMost = std::max(yMost, point.y);
      yLeast = std::min(yLeast, std::max(point.y, kLeastOnLogarithmic));
    }
  }
  if (!any) return R"(<p class="empty">Nothing was measured.</p>)";
  const auto yTicks = chart.logarithmic ? logarithmicTicks(yLeast, std::max(yMost, yLeast * 1.01))
                                        : roundTicks(yMost, kYTicks);
  auto xTicks = chart.xTicks.empty() ? roundTicks(xMost, kXTicks) : chart.xTicks;
  while (xTicks.size() > 1 && xTicks.back().at > xMost * kJustBeyond) xTicks.pop_back();
  const Scale x{0, std::max(xMost, xTicks.back().at), kLeft, kWidth - kRight};
  const Scale y{yTicks.front().at, yTicks.back().at, kHeight - kBottom, kTop, chart.logarithmic};
  auto text = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth,
                          kHeight, escaped(chart.title));
  text += axes(chart, x, y, xTicks, yTicks);
  for (const auto& line : chart.lines) text += path(line, x, y);
  return text + "</svg>" + legend(chart);
}

}  // namespace tipflow::load
