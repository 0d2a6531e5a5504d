#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/temporary_place.h"
#include "report/progress_text.h"

namespace gatewise {
namespace {

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool is_refused = (no_colour != nullptr && *no_colour != '\0') ||
                          (terminal != nullptr && std::strcmp(terminal, "dumb") == 0);
  return isatty(descriptor) == 1 && !is_refused;
}

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void request_stop(int) { stop_requested = true; }

// A writer that is told cleans up and ends the program; without one it ends here, as by default.
void end_program(int signal) {
  if (interrupt_writers()) return;
  remove_lock_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

constexpr std::array<int, 2> ending_signals{SIGINT, SIGTERM};
std::array<struct sigaction, 2> actions_before{};

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  // Back to the default after the first, so that a second one ends a program that does not come to its end.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

Console::Console() : is_terminal_(isatty(STDERR_FILENO) == 1) {
  result_style_.has_colour = wants_colour(STDOUT_FILENO);
  message_style_.has_colour = wants_colour(STDERR_FILENO);
}

void Console::result(const std::string& text) {
  clear_progress();
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!is_written || std::fflush(stdout) != 0) {
    data_error("standard output: could not be written; {}; nothing else was lost", std::strerror(errno));
  }
}

void Console::note(const std::string& text) {
  if (is_quiet_) return;
  clear_progress();
  fmt::print(stderr, "{}\n", text);
}

void Console::warning(const std::string& text) {
  clear_progress();
  fmt::print(stderr, "{} {}\n", message_style_.warning("warning:"), text);
}

void Console::error(const std::string& text) {
  clear_progress();
  fmt::print(stderr, "gatewise: {}\n", text);
}

void Console::progress(const std::string& text) {
  if (is_quiet_ || !is_terminal_) return;
  fmt::print(stderr, "\r\x1b[K{}", text);
  std::fflush(stderr);
  has_progress_ = true;
}

int Console::width() const {
  winsize size{};
  const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col - 1 : 79;
}

void Console::clear_progress() {
  if (has_progress_) fmt::print(stderr, "\r\x1b[K");
  has_progress_ = false;
}

void ConsoleObserver::on_progress(const Progress& progress) {
  console_.progress(progress_text(progress, console_.width()));
}

void ConsoleObserver::on_epoch(const Json& record) { console_.note(epoch_text(record)); }

void ConsoleObserver::on_warning(const std::string& text) { console_.warning(text); }

void end_cleanly_on_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  for (const int signal : ending_signals) {
    struct sigaction now = {};
    sigaction(signal, nullptr, &now);
    // A shell starts programs in the background with SIGINT ignored.
    if (now.sa_handler != SIG_IGN) handle(signal, end_program);
  }
}

StopSignals::StopSignals() {
  stop_requested = false;
  for (size_t i = 0; i < ending_signals.size(); ++i) {
    sigaction(ending_signals[i], nullptr, &actions_before[i]);
    handle(ending_signals[i], request_stop);
  }
}

StopSignals::~StopSignals() {
  for (size_t i = 0; i < ending_signals.size(); ++i)
    sigaction(ending_signals[i], &actions_before[i], nullptr);
}

std::atomic<bool>* StopSignals::flag() const { return &stop_requested; }

}  // namespace gatewise
