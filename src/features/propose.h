// A configuration proposed from the data: what `describe` prints and `fit` without a configuration uses.
#pragma once

#include <string>
#include <vector>

#include "features/label_summary.h"
#include "features/schema.h"

namespace gatewise {

struct ColumnProposal {
  ColumnSpec column;
  std::string reason;                 // why this role
  std::vector<std::string> warnings;  // what a person should look at
  bool has_infinity = false;          // so that reading the column is refused
};

struct TaskProposal {
  TaskSpec task;
  std::string reason;
  std::vector<std::string> warnings;
};

struct Proposal {
  Json configuration;  // data, split, columns, tasks: to be written as TOML and edited
  std::vector<ColumnProposal> columns;
  std::vector<TaskProposal> tasks;
  std::vector<std::string> label_candidates;  // columns that look like labels
  std::vector<std::string> table_warnings;    // what a person should look at, beside that of columns
  LabelSummary labels;                        // of the proposed tasks, over all rows

  std::vector<std::string> warnings() const;
  // What each label is taken for.
  std::vector<std::string> notes() const;
  // configuration, reasons, warnings, label rates and correlations as one report.
  Json to_json() const;
};

// Proposes for every column of `table` that the schema neither names nor uses as label, weight or split.
std::vector<ColumnProposal> propose_columns(const Table& table, const Schema& schema);

// A task for the column: binary for two values, multiclass for a few texts or for integers 0 to k-1,
// otherwise regression. Of two texts, true, yes, y, t and positive in any case are positive where the other
// is their opposite, else the rarer one. Texts that mean missing, as NA, are added to the null tokens, which
// are `null` for the table. Throws Error(Data) when the column can be no label.
TaskProposal propose_task(const Table& table, const std::string& column,
                          const std::vector<std::string>& null = {""});

// [training] for so many training rows where the defaults would take too few steps: batch_rows, epochs and
// stop.patience. Empty from 131,072 rows on, for which the defaults are made.
Json propose_training(int64_t rows);

// Columns that look like labels, by their name, or failing that the last column if it has few values.
std::vector<std::string> find_label_candidates(const Table& table);

// Reads the files and proposes. `labels` names the label columns; when empty the candidates are taken. `data`
// says how to read the files; its lists of files may be empty. Without files for validation and test the
// proposal splits 80/10/10 by row.
Proposal propose_configuration(const std::vector<std::string>& files, const std::vector<std::string>& labels,
                               const DataSpec& data = {});

// The schema with a role for every column: reads the start of the training files if columns.default is
// "auto".
Schema resolve_schema(const Schema& schema);
// The same by the columns of `table`.
Schema resolve_schema(const Schema& schema, const Table& table);

}  // namespace gatewise
