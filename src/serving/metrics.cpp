#include "serving/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>

namespace gatewise {
namespace {

// Seconds; a prediction takes microseconds, a whole table in one request a second.
constexpr std::array<double, 19> bounds = {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
                                           2e-2, 5e-2, 0.1,  0.2,  0.5,  1.0,  2.0,  5.0,  10.0};
// A worker keeps this many combinations of endpoint, status and model apart; further models count as none.
constexpr size_t max_series = 2000;

constexpr std::array<const char*, endpoint_kinds> endpoint_names = {
    "infer", "predict", "rank", "health", "metadata", "repository", "metrics", "other", "invalid"};
constexpr std::array<const char*, drop_kinds> drop_names = {"headers", "body", "idle", "write"};

template <class... Args>
void add_line(std::string& output, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(output), format, std::forward<Args>(args)...);
  output += '\n';
}

}  // namespace

Endpoint endpoint_of(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/metrics") return Endpoint::Metrics;
  if (path.starts_with("/v1/models")) {
    if (path.ends_with(":predict")) return Endpoint::Predict;
    return path.ends_with(":rank") ? Endpoint::Rank : Endpoint::Metadata;
  }
  if (!path.starts_with("/v2")) return Endpoint::Other;
  if (path.starts_with("/v2/repository")) return Endpoint::Repository;
  if (path.starts_with("/v2/health") || path.ends_with("/ready")) return Endpoint::Health;
  if (path.ends_with("/infer")) return Endpoint::Infer;
  return path == "/v2" || path == "/v2/" || path.starts_with("/v2/models") ? Endpoint::Metadata
                                                                           : Endpoint::Other;
}

void WorkerMetrics::count_request(Endpoint endpoint, int status, std::string_view model, int64_t rows) {
  if (status == 404) model = {};
  auto found = series_.find(KeyOrder::View(endpoint, status, model));
  if (found == series_.end()) {
    if (series_.size() >= max_series) model = {};
    const std::lock_guard lock(new_series_);
    found = series_.try_emplace(Key(endpoint, status, std::string(model))).first;
  }
  found->second.requests.add(1);
  found->second.rows.add(static_cast<uint64_t>(std::max<int64_t>(0, rows)));
}

void WorkerMetrics::observe_seconds(Endpoint endpoint, double seconds) {
  Latency& latency = latencies_[static_cast<size_t>(endpoint)];
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  latency.counts[static_cast<size_t>(bucket)].add(1);
  latency.nanoseconds.add(static_cast<uint64_t>(std::max(0.0, seconds) * 1e9));
}

Metrics::Metrics(int workers)
    : start_seconds_(
          std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()) {
  for (int i = 0; i < workers; ++i) workers_.push_back(std::make_unique<WorkerMetrics>());
}

uint64_t Metrics::sum(OwnedCount WorkerMetrics::*count) const {
  uint64_t total = 0;
  for (const auto& worker : workers_) total += ((*worker).*count).value();
  return total;
}

void Metrics::write(std::string& output) const {
  write_requests(output);
  write_latencies(output);
  const auto add = [&](const char* name, const char* type, const char* help, auto value) {
    write_family(output, name, type, help);
    add_line(output, "{} {}", name, value);
  };
  write_family(output, "gatewise_refused_total", "counter", "Answered 503: no place in that queue.");
  add_line(output, "gatewise_refused_total{{by=\"queue\"}} {}", sum(&WorkerMetrics::refused_by_queue));
  add_line(output, "gatewise_refused_total{{by=\"connections\"}} {}", refused_by_connections.value());
  write_family(output, "gatewise_dropped_connections_total", "counter",
               "Ended because a client took too long.");
  for (size_t kind = 0; kind < drop_kinds; ++kind) {
    uint64_t total = 0;
    for (const auto& worker : workers_) total += worker->dropped[kind].value();
    add_line(output, "gatewise_dropped_connections_total{{while=\"{}\"}} {}", drop_names[kind], total);
  }
  add("gatewise_queue_length", "gauge", "Requests that wait for a worker.",
      sum(&WorkerMetrics::queue_length));
  add("gatewise_connections", "gauge", "Clients that are connected.", connections.load());
  add("gatewise_accepted_connections_total", "counter", "Connections that were accepted.", accepted.value());
  add("gatewise_received_bytes_total", "counter", "Read from clients.", sum(&WorkerMetrics::received_bytes));
  add("gatewise_sent_bytes_total", "counter", "Written to clients.", sum(&WorkerMetrics::sent_bytes));
  add("gatewise_workers", "gauge", "Threads that answer requests.", workers_.size());
  write_process(output);
  for (const auto& source : sources_) source(output);
}

void Metrics::write_requests(std::string& output) const {
  std::map<WorkerMetrics::Key, std::pair<uint64_t, uint64_t>> merged;
  for (const auto& worker : workers_) {
    const std::lock_guard lock(worker->new_series_);
    for (const auto& [key, series] : worker->series_) {
      merged[key].first += series.requests.value();
      merged[key].second += series.rows.value();
    }
  }
  const auto labels = [](const WorkerMetrics::Key& key) {
    return fmt::format("endpoint=\"{}\",model=\"{}\",status=\"{}\"",
                       endpoint_names[static_cast<size_t>(std::get<0>(key))], escaped_label(std::get<2>(key)),
                       std::get<1>(key));
  };
  write_family(output, "gatewise_requests_total", "counter", "Requests that were answered.");
  for (const auto& [key, counts] : merged) {
    add_line(output, "gatewise_requests_total{{{}}} {}", labels(key), counts.first);
  }
  write_family(output, "gatewise_rows_total", "counter", "Rows that were scored.");
  for (const auto& [key, counts] : merged) {
    if (counts.second > 0) add_line(output, "gatewise_rows_total{{{}}} {}", labels(key), counts.second);
  }
}

void Metrics::write_latencies(std::string& output) const {
  write_family(output, "gatewise_request_seconds", "histogram",
               "From the last byte of a request to its answer being sent, waiting included.");
  for (size_t kind = 0; kind < endpoint_kinds; ++kind) {
    std::array<uint64_t, WorkerMetrics::buckets> counts{};
    uint64_t total = 0, nanoseconds = 0;
    for (const auto& worker : workers_) {
      const WorkerMetrics::Latency& latency = worker->latencies_[kind];
      for (size_t i = 0; i < counts.size(); ++i) counts[i] += latency.counts[i].value();
      nanoseconds += latency.nanoseconds.value();
    }
    for (const uint64_t count : counts) total += count;
    if (total == 0) continue;
    const char* name = endpoint_names[kind];
    uint64_t below = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      below += counts[i];
      const std::string bound = i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf";
      add_line(output, "gatewise_request_seconds_bucket{{endpoint=\"{}\",le=\"{}\"}} {}", name, bound, below);
    }
    add_line(output, "gatewise_request_seconds_sum{{endpoint=\"{}\"}} {}", name,
             static_cast<double>(nanoseconds) * 1e-9);
    add_line(output, "gatewise_request_seconds_count{{endpoint=\"{}\"}} {}", name, total);
  }
}

void Metrics::write_process(std::string& output) const {
  write_family(output, "process_start_time_seconds", "gauge", "Since 1970.");
  add_line(output, "process_start_time_seconds {:.3f}", start_seconds_);
  write_family(output, "process_resident_memory_bytes", "gauge", "Memory in RAM.");
  add_line(output, "process_resident_memory_bytes {}", resident_bytes());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  write_family(output, "process_cpu_seconds_total", "counter", "Time of all cores.");
  add_line(output, "process_cpu_seconds_total {}", seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

std::string escaped_label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void write_family(std::string& output, std::string_view name, std::string_view type, std::string_view help) {
  add_line(output, "# HELP {} {}\n# TYPE {} {}", name, help, name, type);
}

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  file >> all >> resident;
  return file ? resident * sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace gatewise
