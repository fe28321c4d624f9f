#include "platform/process_metrics.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

namespace tipflow {
namespace {

struct ProcessMetricsTest : testing::Test {
  Metrics metrics;
  ProcessMetricsTest() { addProcessMetrics(metrics); }

  double value(const std::string& name) {
    const auto text = metrics.text();
    const auto at = text.find("\n" + name + " ");
    if (at == std::string::npos) {
      ADD_FAILURE() << name << " is not in\n" << text;
      return -1;
    }
    return std::stod(text.substr(at + name.size() + 2));
  }
};

TEST_F(ProcessMetricsTest, say_when_this_process_started) {
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_GT(value("process_start_time_seconds"), now - 3'600);
  EXPECT_LE(value("process_start_time_seconds"), now + 1);
}

TEST_F(ProcessMetricsTest, count_processor_time_upwards) {
  const double before = value("process_cpu_seconds_total");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  double after = before;
  while (after < before + 0.02 && std::chrono::steady_clock::now() < deadline) {
    after = value("process_cpu_seconds_total");
  }
  EXPECT_GE(after, before + 0.02);
}

TEST_F(ProcessMetricsTest, count_open_descriptors) {
  const double before = value("process_open_fds");
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(value("process_open_fds"), before + 1);
  close(file);
  EXPECT_EQ(value("process_open_fds"), before);
  EXPECT_GT(value("process_max_fds"), before);
}

TEST_F(ProcessMetricsTest, know_memory_and_threads) {
  EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value("process_virtual_memory_bytes"), value("process_resident_memory_bytes"));
  EXPECT_GE(value("process_threads"), 1);
}

}  // namespace
}  // namespace tipflow
