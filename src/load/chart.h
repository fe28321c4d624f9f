// Line charts as SVG, coloured by the page's style sheet so that they follow light and dark. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tipflow::load {

struct Point {
  double x = 0;
  double y = 0;
};

struct Line {
  std::string name;   ///< in the legend
  std::string style;  ///< class of the line: its colour is the page's
  std::vector<Point> points;
  bool dashed = false;
};

struct Tick {
  double at = 0;
  std::string label;
};

struct Chart {
  std::string title;  ///< what a screen reader says
  std::string xTitle;
  std::string yTitle;
  std::vector<Line> lines;
  std::vector<Tick> xTicks = {};  ///< empty: round numbers
  bool logarithmic = false;       ///< of y; values up to 0 are drawn at the lower end
};

/// An `<svg>` with its legend; without any point, a sentence that says so.
std::string draw(const Chart& chart);

/// Round numbers from 0 to at least `most`, about `count` of them.
std::vector<Tick> roundTicks(double most, int count);
/// 1, 2 and 5 of each power of ten around [least, most]; powers alone when they are many.
std::vector<Tick> logarithmicTicks(double least, double most);

/// `&`, `<`, `>` and quotes as HTML has them.
std::string escaped(std::string_view text);

}  // namespace tipflow::load
