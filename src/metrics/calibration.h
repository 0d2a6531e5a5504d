// How far predictions can be taken at their word: rows in order of their prediction, in bins.
#pragma once

#include "base/json.h"
#include "metrics/metric.h"

namespace gatewise {

// Cuts the present rows into at most `bins` bins of equally many rows (equal predictions stay together) and
// compares in each the mean prediction with the mean label. Binary tasks and regression; of several classes
// the prediction is the probability of the likeliest class, and the label whether that is the true one.
// Returns
//   {bins: [{rows, prediction_low, prediction_high, prediction, label, label_low, label_high}],
//    error: mean of |prediction - label| over the bins, by weight,
//    predictions: [{from, to, rows, rows_of_label_1}]: 20 bins of equal width}; without labels of 0 and 1
//    "rows_of_label_1" is missing.
// label_low and label_high are the ends of the 95 % interval of the mean label: Wilson's score interval
// (1927) where labels lie between 0 and 1 and mean +- 1.96 standard errors otherwise; weighted rows count as
// (sum of weights)^2 / (sum of squared weights) rows (Kish 1965).
// Without present rows {why_undefined}. Throws as present_rows() does.
Json calibration(const MetricInput& input, int64_t bins);

}  // namespace gatewise
