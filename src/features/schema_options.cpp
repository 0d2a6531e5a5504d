// The options of each table of the configuration.
#include <algorithm>

#include "base/error.h"
#include "features/schema.h"

namespace gatewise {
const char* part_name(Part part) {
  constexpr const char* names[] = {"train", "validation", "test"};
  return names[static_cast<int>(part)];
}

void DataSpec::declare(OptionSet& set) {
  set.add("train", &train, "files or patterns of the training part");
  set.add("validation", &validation, "files or patterns of the validation part");
  set.add("test", &test, "files or patterns of the test part");
  set.add("delimiter", &delimiter, "between the fields of a CSV file, one character; \\t is a tab");
  set.add("quote", &quote, "around fields of a CSV file, one character");
  set.add("header", &header, "whether CSV files start with a line of names");
  set.add("column_names", &column_names, "names in place of the header's");
  set.add("null", &null, "texts that mean missing, unless a column has its own");
  set.add("trim", &trim, "whether blanks around fields are dropped");
  set.add("skip_rows", &skip_rows, "lines before the header: an integer, or one per part as {test = 1}");
}

const std::vector<std::string>& DataSpec::files(Part part) const {
  return part == Part::Train ? train : part == Part::Validation ? validation : test;
}

ReadOptions DataSpec::read_options(Part part) const {
  ReadOptions options;
  options.null = null;
  options.trim = trim;
  options.delimiter = delimiter.front();
  options.quote = quote.front();
  options.header = header;
  options.column_names = column_names;
  options.skip_rows =
      skip_rows.is_object() ? skip_rows.value(part_name(part), int64_t{0}) : skip_rows.get<int64_t>();
  return options;
}

void SplitSpec::declare(OptionSet& set) {
  set.add("kind", &kind,
          "files: as [data] says; fraction: by a hash of row number and seed; column: by its value; "
          "time: earlier rows first")
      .choices({"files", "fraction", "column", "time"});
  set.add("of", &of, "the part whose rows are handed out").choices({"train", "validation", "test"});
  set.add("fractions", &fractions,
          "with fraction and time: part -> fraction, as {validation = 0.5, test = 0.5}");
  set.add("seed", &seed, "seed of the hash").range(0);
  set.add("by", &by, "with fraction: rows with the same value in this column stay together");
  set.add("column", &column, "with column and time: the column that decides");
  set.add("values", &values, "with column: part -> list of values");
  set.add("from", &from,
          "with time: part -> its first moment, as {validation = \"2016-01-01\", test = \"2016-07-01\"}");
}

const std::vector<std::string>& role_names() {
  static const std::vector<std::string> names{"numeric", "categorical", "bag",  "vector", "label",
                                              "weight",  "group",       "time", "task",   "ignore"};
  return names;
}

bool ColumnSpec::is_feature() const {
  return role == Role::Numeric || role == Role::Categorical || role == Role::Bag || role == Role::Vector;
}

void ColumnSpec::declare(OptionSet& set) {
  set.add("null", &null, "texts that mean missing in this column");
  if (role == Role::Numeric || role == Role::Vector) {
    std::vector<std::string> transforms{"standardise", "log1p", "none"};
    if (role == Role::Numeric) transforms.push_back("quantile");
    set.add("transform", &transform,
            "standardise; log1p, then standardise; quantile: bins with an embedding; none")
        .choices(std::move(transforms));
    set.add("missing_indicator", &missing_indicator, "adds a feature that is 1 where the value is missing");
  }
  if (role == Role::Numeric) set.add("bins", &bins, "bins of the quantile transform").range(2, 4096);
  if (role == Role::Categorical || role == Role::Bag || role == Role::Group) {
    set.add("type", &type, "whether values are texts or 64-bit ids").choices({"text", "id"});
  }
  if (role == Role::Categorical || role == Role::Bag) {
    set.add("min_count", &min_count, "rarer training values become the unknown id").range(1);
    set.add("table", &table, "embedding table, which several columns may share");
    set.add("hash_buckets", &hash_buckets,
            "hash into so many rows instead of keeping a vocabulary; 0: do not")
        .range(0);
    set.add("hash_seed", &hash_seed, "seed of the hash").range(0);
  }
  if (role == Role::Numeric || role == Role::Categorical || role == Role::Bag) {
    set.add("embedding", &embedding, "width of the embedding; 0: the default").range(0, 4096);
  }
  if (role == Role::Bag || role == Role::Vector) {
    set.add("separator", &separator, "between the items of a list in a text field");
  }
  if (role == Role::Bag) {
    set.add("pooling", &pooling, "how the rows of a bag are put together").choices({"mean", "sum"});
    set.add("weights", &weights, "column of lists of numbers that weigh the ids");
  }
  if (role == Role::Vector)
    set.add("width", &width, "numbers per row; 0: as in the first training row").range(0, 1 << 20);
}

Json ColumnSpec::to_json() const {
  ColumnSpec copy = *this;
  OptionSet set;
  copy.declare(set);
  Json object{{"role", role_names()[static_cast<size_t>(role)]}};
  object.update(set.write());
  return object;
}

void TaskSpec::declare(OptionSet& set) {
  set.add("kind", &kind, "what is predicted").choices({"binary", "regression", "multiclass"});
  set.add("column", &column, "column of the label; by default that of the task's name");
  set.add("equals", &equals, "the label is 1 where the column has this value");
  set.add("in", &in, "the label is 1 where the column has one of these values");
  set.add("above", &above, "the label is 1 where the column is greater");
  set.add("at_least", &at_least, "the label is 1 where the column is greater or equal");
  set.add("below", &below, "the label is 1 where the column is less");
  set.add("null", &null, "texts that mean missing in the label's column");
  set.add("classes", &classes, "multiclass: the number of classes, or their names");
  set.add("transform", &transform, "regression: transform of the label; results are in original units")
      .choices({"none", "standardise", "log1p"});
  set.add("weight", &weight, "weight of the task's loss").range(0);
  set.add("loss", &loss, "loss of a row; empty: the usual one of the kind");
  set.add("loss_options", &loss_options, "options of the loss");
  set.add("class_weights", &class_weights, "weight of each class (binary: of 0 and of 1); [] means all 1")
      .range(0);
  set.add("weight_column", &weight_column, "column of a weight per row for this task");
  set.add("parents", &parents, "tasks that come before this one");
  set.add("only_where", &only_where,
          "a binary task; the loss and the metrics of this task are taken only on rows where that task has a "
          "label and it is 1, all other rows count as if the label were missing; empty: on all rows with a "
          "label");
}

bool TaskSpec::compares() const {
  const Json* given[] = {&equals, &in, &above, &at_least, &below};
  return std::any_of(std::begin(given), std::end(given), [](const Json* value) { return !value->is_null(); });
}

bool TaskSpec::reads_text() const {
  if (kind == "regression") return false;
  if (kind == "multiclass") return !classes.is_number();
  if (in.is_array()) return !in.empty() && !in[0].is_number();
  return !equals.is_null() && !equals.is_number();
}

Json TaskSpec::to_json() const {
  TaskSpec copy = *this;
  OptionSet set;
  copy.declare(set);
  Json object = set.write();
  for (const char* key : {"equals", "in", "above", "at_least", "below", "null", "classes"}) {
    if (object[key].is_null()) object.erase(key);
  }
  return object;
}

}  // namespace gatewise
