// What several reports show alike.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace gatewise {

// "AUC" for "auc", "log loss" for "log_loss": names as people write them.
std::string metric_title(const std::string& name);

// "0.9472 (0.9450 to 0.9493)", without the interval where there is none; `metric` {value, low?, high?}.
std::string value_with_interval(const Json& metric);

// object[key] if it is a number, else null: a cell, or the end of an interval.
Json number_or_null(const Json& object, const char* key);

// Every value of a tree with its dotted name, as settings: "training.optimiser.rate" 0.001.
DataTable flat_table(const Json& tree);

// Adds the tables of evaluate()'s result, one line per task and metric, and a figure of intervals for each
// metric of which several tasks have one. `part`: "test", for titles.
void add_metrics(Report& report, const Json& evaluation, const std::string& part);

// Adds for each task of evaluate()'s "calibration" the mean labels over the mean predictions and the
// distribution of the predictions.
void add_calibration(Report& report, const Json& calibrations);

// Adds for each level of experts what the probes in a history (train()) show: weights of the gates,
// gradients, entropy and zero outputs over the epochs.
void add_probes(Report& report, const Json& history);

}  // namespace gatewise
