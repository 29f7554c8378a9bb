#include "libs/telemetry/process_metrics.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "libs/telemetry/logs.h"

namespace bv::telemetry {
namespace {

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type,
                                double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return {.name = std::move(name), .help = std::move(help), .type = type, .metric = {metric}};
}

// Of /proc/self/stat, from its third field on (proc(5)); the second may hold blanks and ends with the last
// ')'.
std::vector<std::string> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  return absl::StrSplit(text.substr(end_of_name + 1), ' ', absl::SkipEmpty());
}

// `field` counted from 1, as proc(5) does.
double StatNumber(const std::vector<std::string>& fields, std::size_t field) {
  double number = 0;
  if (field - 3 < fields.size()) (void)absl::SimpleAtod(fields[field - 3], &number);
  return number;
}

double BootTimeSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    double seconds = 0;
    if (line.starts_with("btime ") && absl::SimpleAtod(line.substr(6), &seconds)) return seconds;
  }
  return 0;
}

double OpenFiles() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  // Not the one that lists them.
  return count - 1;
}

double OpenFilesMax() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  static const double boot_time_seconds = BootTimeSeconds();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::vector<std::string> stat = StatFields();
  return {
      Family("process_cpu_seconds_total", "User and system CPU time", MetricType::Counter,
             (StatNumber(stat, 14) + StatNumber(stat, 15)) / ticks),
      Family("process_resident_memory_bytes", "Resident memory", MetricType::Gauge,
             StatNumber(stat, 24) * page_bytes),
      Family("process_virtual_memory_bytes", "Virtual memory", MetricType::Gauge, StatNumber(stat, 23)),
      Family("process_threads", "Threads", MetricType::Gauge, StatNumber(stat, 20)),
      Family("process_start_time_seconds", "Start of the process since the Unix epoch", MetricType::Gauge,
             boot_time_seconds + StatNumber(stat, 22) / ticks),
      Family("process_open_fds", "Open file descriptors", MetricType::Gauge, OpenFiles()),
      Family("process_max_fds", "Open file descriptors at most", MetricType::Gauge, OpenFilesMax()),
      Family("bv_log_lines_dropped_total", "Log lines lost because standard output was too slow",
             MetricType::Counter, static_cast<double>(DroppedLogLines())),
  };
}

}  // namespace bv::telemetry
