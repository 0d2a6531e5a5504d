// What the program says: results on standard output, everything else on standard error.
#pragma once

#include <atomic>
#include <string>

#include "report/style.h"
#include "training/trainer.h"

namespace gatewise {

class Console {
 public:
  Console();
  void set_quiet(bool is_quiet) { is_quiet_ = is_quiet; }

  // Adds to standard output. Throws Error(Data) when it cannot be written.
  void result(const std::string& text);
  const Style& result_style() const { return result_style_; }

  // One line on standard error; nothing when quiet.
  void note(const std::string& text);
  void warning(const std::string& text);
  // The error that ends the program.
  void error(const std::string& text);
  // A line that the next message replaces; shown on terminals only.
  void progress(const std::string& text);
  int width() const;

 private:
  void clear_progress();

  bool is_quiet_ = false;
  bool is_terminal_ = false;
  bool has_progress_ = false;
  Style result_style_, message_style_;
};

// Shows training on the console.
class ConsoleObserver final : public TrainingObserver {
 public:
  explicit ConsoleObserver(Console& console) : console_(console) {}
  void on_progress(const Progress& progress) override;
  void on_epoch(const Json& record) override;
  void on_warning(const std::string& text) override;

 private:
  Console& console_;
};

// For the start of the program: SIGINT and SIGTERM remove what is half written before they end it, and a file
// that grows beyond the limit of the process is an error like that of a full disk.
void end_cleanly_on_signals();

// While it lives, SIGINT and SIGTERM set a flag instead of ending the program; the second one ends it.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  std::atomic<bool>* flag() const;
};

}  // namespace gatewise
