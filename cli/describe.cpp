#include <filesystem>

#include "base/error.h"
#include "base/toml.h"
#include "cli/verb.h"
#include "configuration/configuration.h"
#include "configuration/training_rows.h"
#include "engine/plan.h"
#include "features/propose.h"
#include "model_file/model_directory.h"
#include "report/catalogue.h"
#include "report/metrics_text.h"
#include "report/model_text.h"
#include "report/proposal_text.h"
#include "scoring/example_rows.h"
#include "training/model.h"

namespace gatewise {
namespace {

class Describe final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("what", what_, "data files, a model's directory, a configuration (.toml), or a name");
    app.add_option("--labels", labels_, "label columns of data files, as a,b")->delimiter(',');
    app.add_flag("--plan", is_plan_,
                 "what runs when and where every value lies, for a model or a configuration");
    app.add_flag("--request", is_request_,
                 "rows that a server of this model scores: a body for POST /v1/models/NAME:predict");
    app.add_flag("--json", is_json_, "print JSON");
    app.footer(
        "Without arguments: everything that a configuration can name. For data files: a proposed\n"
        "configuration as TOML, to be saved and edited. Fields of the configuration can be given as\n"
        "--table.field value.");
  }

  int run(const Overrides& overrides, Console& console) override {
    if (what_.empty()) {
      show_catalogue(console);
    } else if (is_request_) {
      show_request(console);
    } else if (is_plan_) {
      show_plan(overrides, console);
    } else if (std::filesystem::is_directory(what_[0])) {
      show_model(console);
    } else if (is_configuration_file(what_[0])) {
      show_configuration(overrides, console);
    } else if (!show_names(console)) {
      show_proposal(overrides, console);
    }
    return 0;
  }

 private:
  static Json catalogue() {
    Json all = describe_plugins();
    all["configuration"] = describe_sections();
    return all;
  }

  void show(const Json& json, const std::string& text, Console& console) const {
    console.result(is_json_ ? json.dump(2) + "\n" : text);
  }

  void show_catalogue(Console& console) const {
    const Json all = catalogue();
    show(all, catalogue_text(all, console.result_style()), console);
  }

  // Everything of that name; false when it is no name but a file.
  bool show_names(Console& console) const {
    const Json all = catalogue();
    const Json found = find_in_catalogue(all, what_[0]);
    if (!found.empty() && !std::filesystem::exists(what_[0])) {
      std::string text;
      for (const auto& [kind, entry] : found.items())
        text += (text.empty() ? "" : "\n") + entry_text(kind, what_[0], entry, console.result_style());
      show(found, text, console);
      return true;
    }
    const bool is_path =
        what_[0].find_first_of("/.*?[") != std::string::npos || std::filesystem::exists(what_[0]);
    if (!is_path) {
      command_error("\"{}\": no such file, model or name.{}", what_[0],
                    suggestion(what_[0], catalogue_names(all)));
    }
    return false;
  }

  void show_proposal(const Overrides& overrides, Console& console) const {
    overrides.allow_only({"data"}, "describe of data files");
    Json given{{"data", Json::object()}};
    overrides.apply(given);
    const Proposal proposal = propose_configuration(what_, labels_, Schema::from_json(given).data);
    const Json json = proposal.to_json();
    show(json, proposal_toml(json), console);
    for (const std::string& warning : proposal.warnings()) console.warning(warning);
  }

  void show_configuration(const Overrides& overrides, Console& console) const {
    const Json complete = Configuration::from_json(read_configuration({what_, labels_}, overrides)).to_json();
    show(complete, to_toml(complete), console);
  }

  void show_model(Console& console) const {
    const std::string& directory = what_[0];
    const LoadedModel model = load_model(directory);
    const FeatureSpace space = model.encoder ? model.encoder->space() : FeatureSpace();
    Json json{{"model", directory}, {"version", model.version}};
    json.update(describe_model(*model.graph, space));
    json["configuration"] = model.configuration;
    json["history"] = model.history;
    json["metrics"] = model.metrics;
    const Style& style = console.result_style();
    std::string text = fmt::format("{} (saved by gatewise {})\n", style.heading(directory), model.version);
    text += model_text(json, style);
    if (model.metrics.is_object()) {
      for (const auto& [part, metrics] : model.metrics.items())
        text += "\n" + style.heading(part) + "\n" + metrics_text(metrics, style);
    }
    text += "\n" + style.heading("configuration") + "\n" + to_toml(model.configuration);
    show(json, text, console);
  }

  void show_request(Console& console) const {
    const LoadedModel model = load_model(what_[0]);
    if (!model.encoder) {
      data_error(
          "{}: the model takes encoded rows only, so no row of values can be shown; see "
          "POST /v2/models/NAME/infer in docs/serving.md",
          what_[0]);
    }
    constexpr size_t shown = 2;
    Json rows = example_instances(*model.encoder);
    while (rows.size() > shown) rows.erase(rows.size() - 1);
    console.result(Json{{"instances", rows}}.dump(2) + "\n");
  }

  void show_plan(const Overrides& overrides, Console& console) const {
    if (std::filesystem::is_directory(what_[0])) {
      const LoadedModel model = load_model(what_[0]);
      const Json training = model.configuration.value("training", Json::object());
      show_plans(*model.graph, read_options<TrainingOptions>(training, "training").batch_rows, console);
      return;
    }
    const Configuration configuration =
        Configuration::from_json(read_configuration({what_, labels_}, overrides));
    for (const std::string& line : configuration.warnings) console.warning(line);
    const TrainingRows rows = load_training_rows(configuration, nullptr);
    const std::unique_ptr<Graph> graph = build_graph(rows.encoder.space(), configuration.model);
    show_plans(*graph, configuration.training.batch_rows, console);
  }

  void show_plans(const Graph& graph, int64_t batch_rows, Console& console) const {
    const Layout layout(graph);
    Json json = Json::object();
    std::string text;
    for (const bool is_training : {true, false}) {
      PlanOptions options;
      options.is_training = is_training;
      options.batch_rows = batch_rows;
      const std::string name = is_training ? "training" : "scoring";
      json[name] = Plan(graph, layout, options).text();
      text += (text.empty() ? "" : "\n") + console.result_style().heading(name) + "\n" +
              json[name].get<std::string>();
    }
    show(json, text, console);
  }

  std::vector<std::string> what_, labels_;
  bool is_plan_ = false, is_json_ = false, is_request_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_describe() { return std::make_unique<Describe>(); }

}  // namespace gatewise
