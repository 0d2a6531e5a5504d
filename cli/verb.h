// A verb of the command line: "fit", "evaluate", ...; one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/console.h"
#include "configuration/overrides.h"

namespace gatewise {

class Verb {
 public:
  virtual ~Verb() = default;
  // Adds the verb's arguments.
  virtual void declare(CLI::App& app) = 0;
  // Runs after the arguments were parsed. Returns the exit code; throws Error.
  virtual int run(const Overrides& overrides, Console& console) = 0;
  // Whether options without a dot that declare() does not add are handed to run() too.
  virtual bool takes_any_option() const { return false; }
};

std::unique_ptr<Verb> make_fit();
std::unique_ptr<Verb> make_evaluate();
std::unique_ptr<Verb> make_predict();
std::unique_ptr<Verb> make_compare();
std::unique_ptr<Verb> make_tune();
std::unique_ptr<Verb> make_diagnose();
std::unique_ptr<Verb> make_describe();
std::unique_ptr<Verb> make_synth();
std::unique_ptr<Verb> make_export();
std::unique_ptr<Verb> make_serve();

}  // namespace gatewise
