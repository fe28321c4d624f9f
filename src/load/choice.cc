#include "load/choice.h"

#include <algorithm>
#include <array>

namespace tipflow::load {
namespace {

struct Gift {
  std::int32_t id;
  std::int64_t priceFen;
  std::uint64_t weight;
  std::int32_t countMost;  // the longest run of it that is given at once
};

// A live platform's list, from a light stick to a rocket.
constexpr std::array kGifts{
    Gift{1, 10, 300, 1'314},  // 荧光棒
    Gift{2, 100, 260, 520},   // 小心心
    Gift{3, 520, 160, 99},    // 玫瑰
    Gift{4, 990, 110, 66},    // 棒棒糖
    Gift{5, 2'000, 70, 10},   // 啤酒
    Gift{6, 5'200, 45, 10},   // 告白气球
    Gift{7, 9'900, 25, 10},   // 皇冠
    Gift{8, 52'000, 8, 1},    // 跑车
    Gift{9, 131'400, 3, 1},   // 城堡
    Gift{10, 500'000, 1, 1},  // 火箭
};
constexpr std::uint64_t kGiftWeights = [] {
  std::uint64_t sum = 0;
  for (const auto& gift : kGifts) sum += gift.weight;
  return sum;
}();

// Runs that mean something to those who give them; one is by far the commonest.
constexpr std::array kCounts{1, 1, 1, 1, 1, 1, 1, 1, 10, 10, 30, 66, 99, 520, 1'314};

constexpr std::array kMessages{
    std::string_view{},
    std::string_view{"好听！"},
    std::string_view{"666"},
    std::string_view{"加油"},
    std::string_view{"再来一首"},
    std::string_view{"主播辛苦了"},
    std::string_view{"生日快乐 🎂"},
    std::string_view{"well played"},
    std::string_view{"\\\"太强了\\\""},
};
constexpr double kWithMessage = 0.15;

// Amounts of the viewer's own: 1 to 200 yuan, on whole yuan.
constexpr double kOwnAmount = 0.05;
constexpr std::uint64_t kOwnYuanMost = 200;
constexpr std::int64_t kFenPerYuan = 100;

}  // namespace

std::string_view messageText(std::uint32_t message) { return kMessages.at(message); }

Chooser::Chooser(const Choices& choices, std::uint64_t seed)
    : choices_(choices),
      random_(seed),
      rooms_(choices.rooms, choices.roomExponent),
      viewers_(choices.viewers, choices.viewerExponent) {}

Choice Chooser::next() {
  Choice choice;
  choice.viewer = static_cast<std::uint32_t>(viewers_.place(random_.bits()));
  choice.room = chance(choices_.taste) ? liked(choice.viewer)
                                       : static_cast<std::uint32_t>(rooms_.place(random_.bits()));
  if (chance(kWithMessage)) {
    choice.message = 1 + static_cast<std::uint32_t>(random_.below(kMessages.size() - 1));
  }
  if (chance(kOwnAmount)) {
    choice.amount = Fen{static_cast<std::int64_t>(1 + random_.below(kOwnYuanMost)) * kFenPerYuan};
    return choice;
  }
  auto weight = random_.below(kGiftWeights);
  std::size_t place = 0;
  while (weight >= kGifts[place].weight) weight -= kGifts[place++].weight;
  const auto& gift = kGifts[place];
  choice.giftId = gift.id;
  choice.count = std::min(kCounts[random_.below(kCounts.size())], gift.countMost);
  choice.amount = Fen{gift.priceFen * choice.count};
  return choice;
}

std::uint32_t Chooser::liked(std::uint32_t viewer) {
  const auto pairs = static_cast<std::uint32_t>(choices_.rooms / 2);
  if (pairs == 0) return 0;
  return viewer % pairs + (random_.below(2) == 0 ? 0 : pairs);
}

bool Chooser::chance(double part) { return part > 0 && fraction() < part; }

double Chooser::fraction() { return static_cast<double>(random_.bits() >> 11) * 0x1.0p-53; }

}  // namespace tipflow::load
