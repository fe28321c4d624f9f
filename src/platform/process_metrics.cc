#include "platform/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace tipflow {
namespace {

double secondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return secondsOf(usage.ru_utime) + secondsOf(usage.ru_stime);
}

/// The fields of /proc/self/stat behind the name, which may hold anything; [0] is field 3.
std::vector<double> statFields() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::string state;
  rest >> state;
  std::vector<double> fields{0};
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

/// Field `number` of proc(5); 0 where there is none.
double field(const std::vector<double>& fields, std::size_t number) {
  return number - 3 < fields.size() ? fields[number - 3] : 0;
}

double bootSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double openDescriptors() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; it != end;
       it.increment(error)) {
    ++count;
  }
  return std::max(0.0, count - 1);  // one is the look itself
}

}  // namespace

void addProcessMetrics(Metrics& metrics) {
  constexpr std::size_t kThreads = 20;
  constexpr std::size_t kStartTicks = 22;
  constexpr std::size_t kVirtualBytes = 23;
  constexpr std::size_t kResidentPages = 24;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto pageBytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  metrics.gauge("process_max_fds", "Maximum number of open file descriptors.")
      .Set(static_cast<double>(descriptors.rlim_cur));
  metrics
      .gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
      .Set(bootSeconds() + field(statFields(), kStartTicks) / ticks);
  auto& cpu = metrics.counter("process_cpu_seconds_total",
                              "Total user and system CPU time spent in seconds.");
  auto& resident = metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  auto& virtualBytes =
      metrics.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
  auto& open = metrics.gauge("process_open_fds", "Number of open file descriptors.");
  auto& threads = metrics.gauge("process_threads", "Number of OS threads in the process.");
  metrics.beforeCollect([&, pageBytes] {
    const auto now = statFields();
    cpu.Increment(std::max(0.0, cpuSeconds() - cpu.Value()));
    resident.Set(field(now, kResidentPages) * pageBytes);
    virtualBytes.Set(field(now, kVirtualBytes));
    open.Set(openDescriptors());
    threads.Set(field(now, kThreads));
  });
}

}  // namespace tipflow
