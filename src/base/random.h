// Random numbers as a capability that is handed in: the system's for real, a seeded one for tests.
#pragma once

#include <cstdint>
#include <random>

namespace tipflow {

class Random {
 public:
  virtual ~Random() = default;
  /// 64 uniformly random bits.
  virtual std::uint64_t bits() = 0;
  /// Uniform in [0, end); end > 0.
  std::uint64_t below(std::uint64_t end) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits()) * end) >> 64);
  }
};

/// Reproducible: same seed, same numbers. Not for secrets, and not shared between threads.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tipflow
