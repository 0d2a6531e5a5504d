// gatewise: the command line. Exit codes: 0 success, 1 data or model at fault, 2 command at fault, 3 a defect
// of Gatewise, 130 interrupted.
#include <algorithm>
#include <new>

#include "base/error.h"
#include "base/plugin.h"
#include "base/temporary_place.h"
#include "cli/verb.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

struct VerbEntry {
  const char* name;
  const char* summary;
  std::unique_ptr<Verb> (*make)();
};

constexpr VerbEntry verbs[] = {
    {"fit", "trains a model", make_fit},
    {"evaluate", "measures a trained model on data with labels", make_evaluate},
    {"predict", "scores rows with a trained model", make_predict},
    {"compare", "trains configurations over seeds and tells which differences are more than noise",
     make_compare},
    {"tune", "searches for good settings of a configuration", make_tune},
    {"diagnose", "shows what a model's experts and gates do, and what is wrong with them", make_diagnose},
    {"describe", "proposes a configuration for data; shows a model, a plan or what a name means",
     make_describe},
    {"export", "writes a trained model for other runtimes (ONNX)", make_export},
    {"serve", "answers requests for predictions over HTTP", make_serve},
    {"synth", "writes a made-up table whose truth is known", make_synth},
};

std::string help_text() {
  TextTable table;
  table.add_column("");
  table.add_column("");
  for (const VerbEntry& verb : verbs) table.add_row({verb.name, verb.summary});
  return "Multi-task mixtures of experts: train, examine, score.\n\nUsage: gatewise VERB ...\n\n" +
         table.text({}, 2) +
         "\ngatewise VERB --help lists the verb's arguments; gatewise describe lists everything that a "
         "configuration can name.\nResults go to standard output, everything else to standard error. Exit "
         "codes: 0 "
         "success, 1 data or model\nat fault, 2 command at fault, 3 a defect of Gatewise, 130 interrupted.\n";
}

const VerbEntry& find_verb(const std::string& name) {
  for (const VerbEntry& verb : verbs) {
    if (name == verb.name) return verb;
  }
  std::vector<std::string> known;
  for (const VerbEntry& verb : verbs) known.push_back(verb.name);
  command_error("unknown {} \"{}\".{}", name.starts_with("-") ? "option" : "verb", name,
                suggestion(name, known));
}

// Takes every "--plugin FILE" out of `arguments` and loads it, before anything is said about what can be
// named.
void load_plugins(std::vector<std::string>& arguments) {
  const std::string option = "--plugin", with_value = option + "=";
  std::vector<std::string> others;
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  for (auto argument = arguments.begin(); argument != end; ++argument) {
    if (argument->starts_with(with_value)) {
      load_plugin(argument->substr(with_value.size()));
    } else if (*argument == option) {
      if (++argument == end) command_error("{}: got no value, expected the file of a plug-in", option);
      load_plugin(*argument);
    } else {
      others.push_back(*argument);
    }
  }
  others.insert(others.end(), end, arguments.end());
  arguments = others;
}

// Options that neither the verb nor the configuration knows, before CLI11 complains with less help.
void refuse_unknown_options(const CLI::App& app, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    if (!argument.starts_with("--")) continue;
    const std::string name = argument.substr(0, argument.find('='));
    if (app.get_option_no_throw(name) != nullptr) continue;
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& long_name : option->get_lnames()) known.push_back("--" + long_name);
    }
    command_error("{}: unknown option; fields of the configuration are given as --table.field value.{}", name,
                  suggestion(name, known));
  }
}

int run_verb(const VerbEntry& entry, std::vector<std::string> arguments, Console& console) {
  CLI::App app(std::string("gatewise ") + entry.name + ": " + entry.summary,
               std::string("gatewise ") + entry.name);
  load_plugins(arguments);
  std::vector<std::string> plugins;  // for the help text; taken already
  app.add_option("--plugin", plugins,
                 "library of further gates, architectures and other parts; may be repeated");
  bool is_quiet = false;
  app.add_flag("--quiet", is_quiet,
               "no progress and no notes on standard error; the result, warnings and errors stay");
  const std::unique_ptr<Verb> verb = entry.make();
  verb->declare(app);
  const Overrides overrides = Overrides::take(arguments, [&](const std::string& name) {
    const bool is_known = app.get_option_no_throw("--" + name) != nullptr;
    return !is_known && (verb->takes_any_option() || name.find('.') != std::string::npos);
  });
  refuse_unknown_options(app, arguments);
  try {
    std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 wants
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    console.result(app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    command_error("{}: {}; gatewise {} --help lists the arguments", entry.name, error.what(), entry.name);
  }
  console.set_quiet(is_quiet);
  return verb->run(overrides, console);
}

int run_program(std::vector<std::string> arguments, Console& console) {
  if (arguments.empty()) {
    console.error("got no verb, expected one as: gatewise fit train.csv");
    console.note("\n" + help_text());
    return 2;
  }
  const std::string first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    console.result(help_text());
    return 0;
  }
  if (first == "--version") {
    console.result("gatewise " GATEWISE_VERSION "\n");
    return 0;
  }
  const VerbEntry& verb = find_verb(first);
  arguments.erase(arguments.begin());
  return run_verb(verb, std::move(arguments), console);
}

int run_guarded(std::vector<std::string> arguments, Console& console) {
  try {
    return run_program(std::move(arguments), console);
  } catch (const Interrupted& interruption) {
    console.error(interruption.what());
    return 130;
  } catch (const Error& error) {
    const bool is_defect = error.fault() == Fault::Internal;
    console.error(is_defect ? std::string("defect: ") + error.what() + "; please report it" : error.what());
    return is_defect ? 3 : error.fault() == Fault::Command ? 2 : 1;
  } catch (const std::bad_alloc&) {
    console.error("out of memory; use fewer rows, smaller batches, smaller tables or a smaller model");
    return 1;
  } catch (const std::exception& error) {
    console.error(std::string("defect: ") + error.what() + "; please report it");
    return 3;
  }
}

}  // namespace
}  // namespace gatewise

int main(int count, char** values) {
  gatewise::end_cleanly_on_signals();
  gatewise::Console console;
  return gatewise::run_guarded(std::vector<std::string>(values + 1, values + std::max(1, count)), console);
}
