// The configuration of data: files, the split into parts, the roles of columns, and tasks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/options.h"
#include "table/read_options.h"
#include "table/table.h"

namespace gatewise {

enum class Part { Train, Validation, Test };
inline constexpr Part all_parts[] = {Part::Train, Part::Validation, Part::Test};
const char* part_name(Part part);

// [data]
struct DataSpec {
  std::vector<std::string> train, validation, test;  // files and patterns
  std::string delimiter = ",";
  std::string quote = "\"";
  bool header = true;
  std::vector<std::string> column_names;
  std::vector<std::string> null{""};
  bool trim = true;
  Json skip_rows = 0;  // lines before the header: an integer, or {train = .., validation = .., test = ..}

  void declare(OptionSet& set);
  const std::vector<std::string>& files(Part part) const;
  // How the files of a part are read, without columns.
  ReadOptions read_options(Part part) const;
};

// [split]: how rows of the part `of` are handed out to parts.
struct SplitSpec {
  std::string kind = "files";  // files, fraction, column, time
  std::string of = "train";
  Json fractions = Json::object();  // part -> fraction of the rows (fraction, time)
  int64_t seed = 1;
  std::string by;                // fraction: rows with the same value in this column stay together
  std::string column;            // column, time
  Json values = Json::object();  // column: part -> list of values
  Json from = Json::object();    // time: part -> its first moment, a number or a date

  void declare(OptionSet& set);
};

// What a column is for. A column of role Label only declares the task of its name. One of role Task names the
// task that each row belongs to.
enum class Role { Numeric, Categorical, Bag, Vector, Label, Weight, Group, Time, Task, Ignore };
const std::vector<std::string>& role_names();

// [columns.<name>]; which options a column may have follows from its role.
struct ColumnSpec {
  std::string name;
  Role role = Role::Ignore;
  Json null;  // list of texts that mean missing; null: those of [data]

  // numeric and vector
  std::string transform =
      "standardise";  // standardise, log1p (then standardised), quantile (numeric only), none
  int64_t bins = 16;  // quantile
  bool missing_indicator = false;

  // categorical, bag, group
  std::string type;  // text or id; empty: text, for bags id
  int64_t min_count = 1;
  int64_t embedding = 0;  // width; 0: [columns] embedding, or the rule of default_embedding_width
  std::string table;      // name of the embedding table; empty: the column's own
  int64_t hash_buckets = 0;
  int64_t hash_seed = 0;

  // bag and vector
  std::string separator = "|";
  std::string pooling = "mean";  // mean, sum
  std::string weights;           // column of lists of numbers, one per id
  int64_t width = 0;             // of a vector

  void declare(OptionSet& set);
  bool is_feature() const;
  bool has_ids() const { return type == "id"; }
  std::string table_name() const { return table.empty() ? name : table; }
  Json to_json() const;
};

// [tasks.<name>]
struct TaskSpec {
  std::string name;
  std::string kind = "binary";              // binary, regression, multiclass
  std::string column;                       // empty: the column of the task's name
  Json equals, in, above, at_least, below;  // binary: at most one; null: the column is 0 or 1
  Json null;                       // list of texts that mean missing; null: as the column or [data] has it
  Json classes;                    // multiclass: how many, or their names; null: from the training part
  std::string transform = "none";  // regression: none, standardise, log1p
  double weight = 1;               // of the task's loss
  std::string loss;                // registered name; empty: the usual one of the kind
  Json loss_options = Json::object();
  std::vector<double> class_weights;  // by class (binary: of 0 and of 1); empty: all 1
  std::string weight_column;
  std::vector<std::string> parents;  // tasks that this one follows, as click before purchase
  std::string only_where;            // task whose label must be 1 for this one to have a label; empty: none

  void declare(OptionSet& set);
  // Whether the label is what a comparison says of the column.
  bool compares() const;
  // Whether the column is compared as text rather than as a number.
  bool reads_text() const;
  Json to_json() const;
};

struct Schema {
  DataSpec data;
  SplitSpec split;
  std::vector<ColumnSpec> columns;
  std::vector<TaskSpec> tasks;
  // [tasks."*"]: what the tasks are that the task column names beyond `tasks`.
  std::optional<TaskSpec> other_tasks;
  bool completes_columns = true;  // columns.default = "auto": columns not named get a proposed role
  int64_t embedding = 0;          // columns.embedding

  // Reads the tables data, split, columns and tasks of a configuration and checks them against each other.
  // Throws Error(Command) naming the place, for unknown keys with the nearest known one.
  static Schema from_json(const Json& configuration);
  // The same four tables, with every option written out.
  Json to_json() const;

  const ColumnSpec* find_column(const std::string& name) const;
  // The column of role Task, or null where every row has labels of all tasks.
  const ColumnSpec* task_column() const;
  // Whether a task or a split uses the column.
  bool is_used_elsewhere(const std::string& name) const;
  // What to read from a file: the features, and with `with_labels` also the columns of tasks, weights, groups
  // and the split; that of the role time for a split by it. A column needed both as a number and as text is
  // read as text.
  std::vector<ColumnRequest> requests(bool with_labels) const;
  void check() const;
  // What may be meant but is mostly a mistake.
  std::vector<std::string> warnings() const;
};

}  // namespace gatewise
