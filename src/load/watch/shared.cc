#include "load/watch/shared.h"

#include <sys/mman.h>

#include <array>
#include <cstring>
#include <new>
#include <sstream>
#include <stdexcept>

namespace tipflow::load::watch {
namespace {

constexpr std::array kCounts{&Findings::viewers,   &Findings::openAtEnd,  &Findings::whole,
                             &Findings::wrongSums, &Findings::shortSums,  &Findings::gaps,
                             &Findings::repeats,   &Findings::anew,       &Findings::resumed,
                             &Findings::dropped,   &Findings::unreadable, &Findings::framesRead};
constexpr std::string_view kEnd = "end";

static_assert(std::atomic<MonotonicUs>::is_always_lock_free);
static_assert(std::atomic<TipState>::is_always_lock_free);

void writeNamed(std::ostream& out, const std::map<std::string, std::uint64_t>& counts) {
  out << counts.size() << '\n';
  for (const auto& [name, count] : counts) out << count << ' ' << name << '\n';
}

std::map<std::string, std::uint64_t> readNamed(std::istream& in) {
  std::map<std::string, std::uint64_t> counts;
  std::size_t size = 0;
  in >> size;
  for (std::size_t i = 0; i < size && in; ++i) {
    std::uint64_t count = 0;
    std::string name;
    in >> count >> std::ws;
    std::getline(in, name);
    counts[name] += count;
  }
  return counts;
}

}  // namespace

Shared::Shared(std::size_t tips, std::size_t processes)
    : tipsMost_(tips),
      processes_(processes),
      bytes_(sizeof(Progressed) * (processes + 1) + sizeof(SharedTip) * tips),
      memory_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
  if (memory_ == MAP_FAILED) throw std::runtime_error("there is no memory for so many tips");
  auto* at = static_cast<char*>(memory_);
  phase_ = new (at) std::atomic<Phase>(Phase::opening);
  at += sizeof(Progressed);
  progress_ = new (at) Progressed[processes];
  at += sizeof(Progressed) * processes;
  // Pages of zeros are tips that were never sent; they take memory when they are.
  tips_ = reinterpret_cast<SharedTip*>(at);
}

Shared::~Shared() { munmap(memory_, bytes_); }

std::uint64_t Shared::total(std::atomic<std::uint64_t> Progressed::* what) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < processes_; ++i) {
    sum += (progress_[i].*what).load(std::memory_order_relaxed);
  }
  return sum;
}

void Findings::add(const Findings& other) {
  for (const auto count : kCounts) this->*count += other.*count;
  for (const auto& [name, count] : other.refusals) refusals[name] += count;
  for (const auto& [name, count] : other.byes) byes[name] += count;
  latencies.insert(latencies.end(), other.latencies.begin(), other.latencies.end());
}

std::string encode(const Findings& findings) {
  std::ostringstream out;
  for (const auto count : kCounts) out << findings.*count << '\n';
  writeNamed(out, findings.refusals);
  writeNamed(out, findings.byes);
  out << findings.latencies.size() << '\n';
  for (const auto& [value, count] : findings.latencies)
    out << value.count() << ' ' << count << '\n';
  out << kEnd;
  return out.str();
}

Findings decodeFindings(const std::string& bytes) {
  std::istringstream in(bytes);
  Findings findings;
  for (const auto count : kCounts) in >> findings.*count;
  findings.refusals = readNamed(in);
  findings.byes = readNamed(in);
  std::size_t size = 0;
  in >> size;
  for (std::size_t i = 0; i < size && in; ++i) {
    std::int64_t us = 0;
    std::uint64_t count = 0;
    in >> us >> count;
    findings.latencies.emplace_back(us, count);
  }
  std::string end;
  in >> end;
  if (!in || end != kEnd) throw std::runtime_error("a process of viewers ended half way");
  return findings;
}

}  // namespace tipflow::load::watch
