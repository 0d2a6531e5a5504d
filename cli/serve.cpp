#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <mutex>

#include "base/error.h"
#include "cli/command_files.h"
#include "cli/verb.h"
#include "serving/http_server.h"
#include "serving/model_repository.h"
#include "serving/protocol_handlers.h"

namespace gatewise {
namespace {

// SIGTERM, SIGINT and SIGHUP are waited for by the main thread instead of interrupting any. To be made before
// other threads, which inherit it.
class WaitedSignals {
 public:
  WaitedSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  ~WaitedSignals() { release(); }
  WaitedSignals(const WaitedSignals&) = delete;
  WaitedSignals& operator=(const WaitedSignals&) = delete;

  int await() const {
    int signal = 0;
    while (sigwait(&set_, &signal) != 0) continue;
    return signal;
  }
  // From here on they end the program.
  void release() { pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

 private:
  sigset_t set_;
};

// As many files as `connections` and the models need, where the system lets us.
void allow_files(int64_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto wanted = static_cast<rlim_t>(connections) + 256;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

void write_model_counters(const RepositoryCounters& counters, std::string& output) {
  const auto add = [&](const char* name, const char* help, const std::atomic<int64_t>& count) {
    write_family(output, name, "counter", help);
    output += fmt::format("{} {}\n", name, count.load());
  };
  add("gatewise_model_loads_total", "Versions of models that were loaded where none was served.",
      counters.loads);
  add("gatewise_model_swaps_total", "Versions that took the place of one that was served.", counters.swaps);
  add("gatewise_model_refusals_total", "Versions that could not be loaded.", counters.refusals);
  add("gatewise_model_unloads_total", "Versions that are served no more.", counters.unloads);
}

class Serve final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("models", models_,
                   "model directories, or folders of numbered versions (NAME/1, NAME/2); the name is that of "
                   "the folder unless given as NAME=PATH")
        ->required();
    http_.declare(options_);
    protocol_.declare(options_);
    given_.resize(options_.options().size());
    for (size_t i = 0; i < given_.size(); ++i) {
      const Option& option = options_.options()[i];
      const std::string limits = option.limits().empty() ? "" : " (" + option.limits() + ")";
      const std::string standard =
          option.value().is_string() ? option.value().get<std::string>() : option.value().dump();
      app.add_option(flag_of(option), given_[i], option.help() + limits)
          ->type_name("")
          ->default_str(standard);
    }
    app.add_option("--access-log", log_path_,
                   "file that gets a line for every request, opened anew on SIGHUP; - is standard error");
    app.footer(
        "The Open Inference Protocol, version 2, and requests for raw rows over HTTP; docs/serving.md shows "
        "every\n"
        "request. GET /metrics is for Prometheus. TLS, authentication and access from other machines belong "
        "to a\n"
        "proxy in front: this server speaks plain HTTP and trusts whoever reaches it.\n"
        "SIGTERM and SIGINT finish what was accepted, a second one ends at once; SIGHUP looks for new "
        "versions and\n"
        "opens the access log anew.");
  }

  int run(const Overrides& overrides, Console& console) override {
    overrides.allow_only({}, "serve");
    read_options();
    CommandFiles files;
    if (log_path_ != "-") files.keeps("--access-log", log_path_);
    files.check();
    WaitedSignals signals;
    allow_files(http_.max_connections);
    std::mutex console_mutex;  // the repository's lines come from several threads
    const auto note = [&](const std::string& line) {
      const std::lock_guard lock(console_mutex);
      console.note(line);
    };
    ModelRepository repository(models_, note);
    ProtocolHandlers handlers(repository, protocol_);
    const int workers = HttpServer::workers_of(http_);
    Metrics metrics(workers);
    metrics.add_source([&](std::string& output) { write_model_counters(repository.counters(), output); });
    std::unique_ptr<AccessLog> log;
    if (!log_path_.empty()) log = std::make_unique<AccessLog>(log_path_, workers);
    HttpServer server(http_, handlers, metrics, log.get());
    RepositoryWatcher watcher(repository, protocol_.poll_seconds);
    note(fmt::format("{}: serving {} with {} worker{}", server.url(), fmt::join(repository.names(), ", "),
                     workers, workers == 1 ? "" : "s"));
    while (signals.await() == SIGHUP) {
      watcher.wake();
      if (log != nullptr) reopen(*log, note);
    }
    signals.release();
    return finish(server, note);
  }

 private:
  static std::string flag_of(const Option& option) {
    std::string flag = "--" + option.name();
    std::replace(flag.begin(), flag.end(), '_', '-');
    return flag;
  }

  void read_options() {
    size_t i = 0;
    for (Option option : options_.options()) {
      const std::string& text = given_[i++];
      if (text.empty()) continue;
      const Json number = Json::parse(text, nullptr, false);
      option.set(option.type_name() == "text" || number.is_discarded() ? Json(text) : number,
                 flag_of(option));
    }
  }

  template <class Note>
  static void reopen(AccessLog& log, const Note& note) {
    try {
      log.reopen();
    } catch (const Error& error) {
      note(std::string("warning: ") + error.what());
    }
  }

  template <class Note>
  int finish(HttpServer& server, const Note& note) {
    note("finishing the requests that were accepted; a second signal ends at once");
    server.drain();
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(http_.shutdown_seconds);
    while (!server.is_finished() && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (!server.is_finished()) {
      note(fmt::format("warning: some clients took longer than {} seconds and are cut off",
                       http_.shutdown_seconds));
    }
    server.stop();
    return 0;
  }

  std::vector<std::string> models_;
  HttpOptions http_;
  ProtocolOptions protocol_;
  OptionSet options_;               // of both
  std::vector<std::string> given_;  // one for each of options_; empty: not given
  std::string log_path_;
};

}  // namespace

std::unique_ptr<Verb> make_serve() { return std::make_unique<Serve>(); }

}  // namespace gatewise
