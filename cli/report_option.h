// --report FILE.html, alike for every verb.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command_files.h"
#include "cli/console.h"
#include "report/report.h"

namespace gatewise {

class ReportOption {
 public:
  void declare(CLI::App& app) {
    app.add_option("--report", path_, "also write what came out as one HTML file (docs/reports.md)");
  }
  void add_to(CommandFiles& files) const { files.writes("--report", path_); }
  // Writes the file if one was asked for; `make` makes the report of `result`.
  void write(Report (*make)(const Json& result), const Json& result, Console& console) const;

 private:
  std::string path_;
};

}  // namespace gatewise
