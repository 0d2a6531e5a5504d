// What the server counts, as Prometheus reads it. Every worker counts for itself, without locks or shared
// cache lines; a scrape adds up.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace gatewise {

// A number that one thread writes and any may read.
class OwnedCount {
 public:
  void add(uint64_t amount) { set(value() + amount); }
  void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Kinds of requests that are counted apart.
enum class Endpoint { Infer, Predict, Rank, Health, Metadata, Repository, Metrics, Other, Invalid };
inline constexpr int endpoint_kinds = 9;
// Of a path with or without a query. Invalid is for what is no request.
Endpoint endpoint_of(std::string_view target);

// Why connections are ended by the server; the names of the metric's label.
enum class Drop { Headers, Body, Idle, Write };
inline constexpr int drop_kinds = 4;

// Of one worker, written by its thread alone.
class alignas(128) WorkerMetrics {
 public:
  // `model` counts with statuses below 404 only: names that clients make up are no series.
  void count_request(Endpoint endpoint, int status, std::string_view model, int64_t rows);
  void observe_seconds(Endpoint endpoint, double seconds);

  OwnedCount queue_length, refused_by_queue, received_bytes, sent_bytes;
  std::array<OwnedCount, drop_kinds> dropped;

 private:
  friend class Metrics;
  static constexpr int buckets = 20;  // upper bounds in metrics.cpp, and one without
  using Key = std::tuple<Endpoint, int, std::string>;
  // Looks up without making a string.
  struct KeyOrder {
    using is_transparent = void;
    using View = std::tuple<Endpoint, int, std::string_view>;
    bool operator()(const View& a, const View& b) const { return a < b; }
  };
  struct Series {
    OwnedCount requests, rows;
  };
  struct Latency {
    std::array<OwnedCount, buckets> counts;
    OwnedCount nanoseconds;
  };

  std::mutex new_series_;  // held to add a series, or to read them all; the worker looks up without it
  std::map<Key, Series, KeyOrder> series_;
  std::array<Latency, endpoint_kinds> latencies_;
};

class Metrics {
 public:
  explicit Metrics(int workers);

  WorkerMetrics& worker(int index) { return *workers_[static_cast<size_t>(index)]; }
  // Further families in the text format, as those of the models; called on every scrape, by any worker.
  void add_source(std::function<void(std::string& output)> source) { sources_.push_back(std::move(source)); }
  // All of it in the text format, version 0.0.4.
  void write(std::string& output) const;

  // Counted by whoever accepts connections.
  std::atomic<int64_t> connections{0};
  OwnedCount accepted, refused_by_connections;

 private:
  void write_requests(std::string& output) const;
  void write_latencies(std::string& output) const;
  void write_process(std::string& output) const;
  uint64_t sum(OwnedCount WorkerMetrics::*count) const;

  std::vector<std::unique_ptr<WorkerMetrics>> workers_;
  std::vector<std::function<void(std::string&)>> sources_;
  double start_seconds_;
};

// `text` as the value of a label.
std::string escaped_label(std::string_view text);
// The lines that stand before a family: "# HELP ..." and "# TYPE ...".
void write_family(std::string& output, std::string_view name, std::string_view type, std::string_view help);

// Memory of this process that is in RAM, in bytes; 0 where that is not known.
int64_t resident_bytes();

}  // namespace gatewise
