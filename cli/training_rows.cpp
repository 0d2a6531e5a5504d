#include "cli/training_rows.h"

#include <algorithm>

#include "base/error.h"
#include "features/propose.h"
#include "features/split.h"

namespace gatewise {
namespace {

// Step 0 of a synthetic table is never trained on: validation rows come from its start, test rows follow.
constexpr uint64_t held_out_step = 0;

Table made_table(const SyntheticTable& source, int64_t first_row, int64_t rows) {
  std::vector<float> x(static_cast<size_t>(rows * source.width()));
  std::vector<float> labels(static_cast<size_t>(rows * source.tasks()));
  source.fill(held_out_step, first_row, rows, x.data(), labels.data());
  std::vector<Column> columns;
  const auto add = [&](const std::string& name, const std::vector<float>& values, int64_t width,
                       int64_t place) {
    Numbers numbers;
    for (int64_t row = 0; row < rows; ++row) numbers.values.push_back(values[row * width + place]);
    columns.push_back({name, std::move(numbers)});
  };
  for (int64_t i = 0; i < source.width(); ++i) add(source.features()[i], x, source.width(), i);
  for (int64_t i = 0; i < source.tasks(); ++i) add(source.labels()[i].name, labels, source.tasks(), i);
  return Table::from_columns("synthetic rows", std::move(columns));
}

// The table's labels are the tasks, in its order: streamed labels are used as they come.
std::vector<TaskSpec> tasks_of(const SyntheticTable& source, const std::vector<TaskSpec>& given) {
  std::vector<std::string> known;
  for (const SyntheticLabel& label : source.labels()) known.push_back(label.name);
  for (const TaskSpec& task : given) {
    if (std::find(known.begin(), known.end(), task.name) == known.end())
      command_error("tasks.{}: the synthetic table has no such label.{}", task.name,
                    suggestion(task.name, known));
  }
  std::vector<TaskSpec> tasks;
  for (const SyntheticLabel& label : source.labels()) {
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const TaskSpec& t) { return t.name == label.name; });
    TaskSpec task;
    if (found != given.end()) task = *found;
    const bool is_taken_as_is =
        found == given.end() || (task.kind == label.kind && task.column == label.name &&
                                 task.transform == "none" && task.equals.is_null() && task.in.is_null() &&
                                 task.above.is_null() && task.at_least.is_null() && task.below.is_null());
    if (!is_taken_as_is) {
      command_error(
          "tasks.{}: labels of a synthetic table are taken as they are; expected kind = \"{}\" without "
          "column, transform or comparison",
          task.name, label.kind);
    }
    task.name = task.column = label.name;
    task.kind = label.kind;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

TrainingRows make_rows(const Configuration& configuration) {
  const SyntheticSection& section = *configuration.synthetic;
  TrainingRows rows;
  rows.stream = make_synthetic_table(section.kind, section.options, "synthetic.options");
  const Table validation = made_table(*rows.stream, 0, section.validation_rows);
  const Table test = made_table(*rows.stream, section.validation_rows, section.test_rows);
  Schema schema;
  schema.tasks = tasks_of(*rows.stream, configuration.schema.tasks);
  for (const std::string& name : rows.stream->features()) {
    ColumnSpec& column = schema.columns.emplace_back();
    column.name = name;
    column.role = Role::Numeric;
    column.transform = "none";  // streamed rows reach the model as they are made
  }
  schema.completes_columns = false;
  rows.encoder = Encoder::fit(validation, schema);
  rows.validation = rows.encoder.encode(validation);
  rows.test = rows.encoder.encode(test);
  return rows;
}

}  // namespace

TrainingRows load_training_rows(const Configuration& configuration, const Encoder* start) {
  if (configuration.synthetic) return make_rows(configuration);
  Schema schema = configuration.schema;
  if (start != nullptr) {
    schema.columns = start->schema().columns;
    schema.tasks = start->schema().tasks;
    schema.completes_columns = false;
  } else {
    schema = resolve_schema(schema);
  }
  const Parts parts = load_parts(schema);
  TrainingRows rows;
  rows.encoder = start != nullptr ? *start : Encoder::fit(parts.train, schema);
  if (start != nullptr) rows.encoder.extend(parts.train);
  rows.train = rows.encoder.encode(parts.train);
  if (parts.validation) rows.validation = rows.encoder.encode(*parts.validation);
  if (parts.test) rows.test = rows.encoder.encode(*parts.test);
  return rows;
}

}  // namespace gatewise
