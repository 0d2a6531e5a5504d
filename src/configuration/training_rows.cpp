#include "configuration/training_rows.h"

#include <algorithm>

#include "base/error.h"
#include "features/column_views.h"
#include "features/propose.h"
#include "losses/loss.h"

namespace gatewise {
namespace {

// Step 0 of a synthetic table is never trained on: validation rows come from its start, test rows follow.
constexpr uint64_t held_out_step = 0;

Table made_table(const SyntheticTable& source, int64_t first_row, int64_t rows) {
  std::vector<uint64_t> ids(static_cast<size_t>(rows * source.id_columns()));
  std::vector<float> x(static_cast<size_t>(rows * source.width()));
  std::vector<float> labels(static_cast<size_t>(rows * source.tasks()));
  source.fill_ids(held_out_step, first_row, rows, ids.data());
  source.fill(held_out_step, first_row, rows, x.data(), labels.data());
  std::vector<Column> columns;
  const auto add = [&]<class Values>(const std::string& name, const auto& values, int64_t width,
                                     int64_t place, Values column) {
    for (int64_t row = 0; row < rows; ++row) column.values.push_back(values[row * width + place]);
    columns.push_back({name, std::move(column)});
  };
  for (int64_t i = 0; i < source.id_columns(); ++i)
    add(source.ids()[i].name, ids, source.id_columns(), i, IdValues{});
  for (int64_t i = 0; i < source.width(); ++i) add(source.features()[i], x, source.width(), i, Numbers{});
  for (int64_t i = 0; i < source.tasks(); ++i)
    add(source.labels()[i].name, labels, source.tasks(), i, Numbers{});
  return Table::from_columns("synthetic rows", std::move(columns));
}

// A table in which every id of every column occurs; shorter columns repeat their last one.
Table every_id(const SyntheticTable& source) {
  uint64_t rows = 0;
  for (const SyntheticId& id : source.ids()) rows = std::max(rows, id.count);
  std::vector<Column> columns;
  for (const SyntheticId& id : source.ids()) {
    IdValues values;
    for (uint64_t row = 0; row < rows; ++row) values.values.push_back(std::min(row, id.count - 1));
    columns.push_back({id.name, std::move(values)});
  }
  return Table::from_columns("synthetic ids", std::move(columns));
}

// Streamed rows bring every id sooner or later, so the encoder takes them in beforehand. Returns where each
// stands in its embedding table.
std::vector<std::vector<uint32_t>> admit_all_ids(const SyntheticTable& source, Encoder& encoder) {
  std::vector<std::vector<uint32_t>> indices;
  if (source.ids().empty()) return indices;
  encoder.extend(every_id(source));
  for (int64_t column = 0; column < source.id_columns(); ++column) {
    const Vocabulary& vocabulary = *encoder.vocabulary(encoder.space().ids[column].table);
    std::vector<uint32_t>& places = indices.emplace_back();
    for (uint64_t id = 0; id < source.ids()[column].count; ++id) places.push_back(vocabulary.find(id));
  }
  return indices;
}

// What a validation cannot judge, it cannot stop: rare labels need enough rows.
void check_validation_labels(const SyntheticTable& source, const Table& validation) {
  for (const SyntheticLabel& label : source.labels()) {
    if (label.kind != "binary") continue;
    const std::vector<double>& values = std::get<Numbers>(validation.column(label.name).data).values;
    const auto ones = std::count(values.begin(), values.end(), 1.0);
    const auto zeros = std::count(values.begin(), values.end(), 0.0);
    if (ones > 0 && zeros > 0) continue;
    command_error(
        "synthetic.validation_rows: label \"{}\" is 1 in {} and 0 in {} of the {} rows, expected both; raise "
        "validation_rows",
        label.name, ones, zeros, validation.rows());
  }
}

// A stream has one graph for all its rows, so it cannot give rows of one task to that task alone.
void refuse_rows_of_one_task(const SyntheticSection& section, const SyntheticTable& source) {
  for (const SyntheticId& id : source.ids()) {
    if (!id.names_task) continue;
    command_error(
        "synthetic.kind: got \"{0}\", whose rows belong to one task each, named by the column \"{1}\"; that "
        "cannot be streamed; write a file with gatewise synth {0} --rows ROWS --output {0}.csv and fit that",
        section.kind, id.name);
  }
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
  refuse_rows_of_one_task(section, *rows.stream);
  const Table validation = made_table(*rows.stream, 0, section.validation_rows);
  check_validation_labels(*rows.stream, validation);
  const Table test = made_table(*rows.stream, section.validation_rows, section.test_rows);
  Schema schema;
  schema.tasks = tasks_of(*rows.stream, configuration.schema.tasks);
  for (const SyntheticId& id : rows.stream->ids()) {
    ColumnSpec& column = schema.columns.emplace_back();
    column.name = id.name;
    column.role = Role::Categorical;
    column.type = "id";
    column.embedding =
        section.embedding > 0 ? section.embedding : default_embedding_width(static_cast<int64_t>(id.count));
  }
  for (const std::string& name : rows.stream->features()) {
    ColumnSpec& column = schema.columns.emplace_back();
    column.name = name;
    column.role = Role::Numeric;
    column.transform = "none";  // streamed rows reach the model as they are made
  }
  schema.completes_columns = false;
  rows.encoder = Encoder::fit(validation, schema);
  rows.stream_indices = admit_all_ids(*rows.stream, rows.encoder);
  rows.validation = rows.encoder.encode(validation);
  rows.test = rows.encoder.encode(test);
  return rows;
}

// A loss like that of counts is not defined for less.
void check_least_labels(const Table& table, const Encoder& encoder, const EncodedData& data) {
  const FeatureSpace& space = encoder.space();
  for (size_t index = 0; index < space.tasks.size(); ++index) {
    const TaskSpace& task = space.tasks[index];
    if (task.loss.empty() || task.scaling.transform() != "none") continue;
    const std::string where = "tasks." + task.name + ".loss";
    const auto least = Registry<Loss>::instance()
                           .find(task.loss, "loss", where)
                           .make(task.loss_options, where + "_options")
                           ->least_label();
    for (int64_t row = 0; least && row < data.rows; ++row) {
      if (space.has_own_labels() && data.row_task[row] != index) continue;
      const auto label =
          data.labels[row * data.tasks + (space.has_own_labels() ? 0 : static_cast<int64_t>(index))];
      if (!(label < *least)) continue;
      value_error(
          table, row, encoder.schema().tasks[index].column,
          fmt::format("{} is outside the range of task \"{}\"; expected at least {}, as loss = \"{}\" needs",
                      label, task.name, *least, task.loss));
    }
  }
}

}  // namespace

void encode_parts(const Parts& parts, const Schema& schema, TrainingRows& rows) {
  if (rows.encoder.space().tasks.empty()) rows.encoder = Encoder::fit(parts.train, schema);
  if (!rows.train) {
    rows.train = std::make_shared<const EncodedData>(rows.encoder.encode(parts.train));
    check_least_labels(parts.train, rows.encoder, *rows.train);
  }
  if (parts.validation) {
    rows.validation = rows.encoder.encode(*parts.validation);
    check_least_labels(*parts.validation, rows.encoder, *rows.validation);
  }
  if (parts.test) rows.test = rows.encoder.encode(*parts.test);
  rows.test_rows = parts.test_rows;
  rows.split_rows = parts.split_rows;
}

TrainingRows load_training_rows(const Configuration& configuration, const Encoder* start) {
  if (configuration.synthetic) return make_rows(configuration);
  Schema schema = configuration.schema;
  if (start != nullptr) {
    schema.columns = start->schema().columns;
    schema.completes_columns = false;
  } else {
    schema = resolve_schema(schema);
  }
  return encode_training_rows(read_part_tables(schema), schema, start);
}

TrainingRows encode_training_rows(PartTables tables, const Schema& schema, const Encoder* start) {
  const Parts parts = split_parts(std::move(tables), schema);
  TrainingRows rows;
  if (start != nullptr) {
    rows.encoder = *start;
    rows.encoder.extend(parts.train);
    rows.new_tasks = rows.encoder.add_tasks(parts.train, schema);
  }
  encode_parts(parts, schema, rows);
  return rows;
}

}  // namespace gatewise
