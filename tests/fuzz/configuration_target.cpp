// Configurations: TOML text and, as a second part, arguments of the command line, one a line.
#include "base/error.h"
#include "base/toml.h"
#include "configuration/configuration.h"
#include "configuration/overrides.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

void read_configuration_text(std::string_view input) {
  const std::vector<std::string> parts = fuzz_parts(input);
  Json json = parse_toml(parts[0], "run.toml");
  if (parts.size() > 1) {
    std::vector<std::string> arguments;
    for (size_t begin = 0; begin <= parts[1].size();) {
      const size_t end = std::min(parts[1].find('\n', begin), parts[1].size());
      arguments.push_back(parts[1].substr(begin, end - begin));
      begin = end + 1;
    }
    const auto is_field = [](const std::string& name) { return name != "report"; };
    Overrides::take(arguments, is_field).apply(json);
  }
  const Configuration configuration = Configuration::from_json(json);
  // What was understood reads back as the same.
  const Json written = configuration.to_json();
  const Json again = parse_toml(to_toml(written), "again.toml");
  fuzz_require(Configuration::from_json(again).to_json() == written,
               "a configuration does not read back as it was written");
}

std::vector<std::string> configurations() {
  const std::string first = R"([data]
train = "rows.csv"
null = ["", "NA"]
[split]
kind = "fraction"
fractions = {train = 0.8, validation = 0.1, test = 0.1}
[columns]
default = "ignore"
age = {role = "numeric", transform = "log1p", missing_indicator = true}
user = {role = "categorical", type = "id", min_count = 2}
seen = {role = "bag", weights = "how_much", pooling = "sum"}
place = {role = "vector", width = 3}
day = "time"
[tasks.click]
at_least = 1
[tasks.amount]
kind = "regression"
transform = "standardise"
only_where = "click"
[model]
type = "mmoe"
experts = 4
gate = {type = "top_k", k = 2}
expert = {units = [16, 8], activation = "relu"}
[training]
epochs = 3
optimiser = {kind = "adam", rate = 1e-3}
stop = {policy = "one", task = "click", metric = "auc"}
[evaluation]
metrics = ["auc", "log_loss"]
)";
  const std::string second = R"([synthetic]
kind = "related_tasks"
options = {}
validation_rows = 100
[model]
type = "ple"
[training.schedule]
kind = "cosine"
[tune]
trials = 4
[continue]
freeze = ["experts/*"]
copy = {b = "a"}
[output]
model = "x.model"
)";
  const std::string third = R"([columns]
domain = "task"
x = "numeric"
[tasks."*"]
kind = "multiclass"
classes = ["a", "b"]
column = "y"
)";
  return {first, first + "\n====\n--model.experts\n8\n--columns.\"PM2.5\".transform=none\n--training.rate",
          second, third, third + "\n====\n--tasks.\"*\".kind=binary\n--model={type='home'}"};
}

std::vector<std::string> names_of_options() {
  std::vector<std::string> names{
      "[[a]]\n",   "'''",        "\"\"\"",  "1979-05-27T07:32:00Z", "0x7f",  "inf", "nan",
      "[a.b.c]\n", "{a={b={}}}", "\\u0000", "\\U0010ffff",          "1e400", "=",   "#"};
  const Json sections = describe_sections();
  for (const auto& [section, about] : sections.items()) {
    names.push_back("[" + section + "]\n");
    for (const Json& option : about["options"]) names.push_back(option["name"].get<std::string>());
  }
  for (const std::string& name : Registry<Architecture>::instance().names()) names.push_back(name);
  return names;
}

const RegisterFuzzTarget configuration_registered{
    "configuration", {read_configuration_text, configurations, names_of_options, 1500}};

}  // namespace
}  // namespace gatewise
