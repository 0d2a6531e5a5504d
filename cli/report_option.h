// --report FILE.html, alike for every verb.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/console.h"
#include "report/report.h"

namespace gatewise {

class ReportOption {
 public:
  void declare(CLI::App& app) {
    app.add_option("--report", path_, "also write what came out as one HTML file (docs/reports.md)");
  }
  // Throws Error(Data) where write() could not write: to be called before the work.
  void check() const;
  // Writes the file if one was asked for; `make` makes the report of `result`.
  void write(Report (*make)(const Json& result), const Json& result, Console& console) const;

 private:
  std::string path_;
};

}  // namespace gatewise
