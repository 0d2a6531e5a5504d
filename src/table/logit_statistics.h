// What follows from the true logits of made-up binary labels: rates, the best attainable AUC, correlations.
#pragma once

#include <span>
#include <vector>

namespace gatewise {

double sigmoid_of(double logit);

// The b at which the mean of sigmoid(b + score) is `rate`, 0 < rate < 1; scores not empty.
double bias_for_rate(std::span<const double> scores, double rate);

// The AUC that ranking rows by their true probabilities is expected to reach when every label is drawn with
// its row's probability: no ranking does better. With `shares`, row r has a label at all with probability
// shares[r]. NaN where no pair of unlike labels can arise; 0.5 where all rows are alike.
double best_auc(std::span<const double> probabilities, std::span<const double> shares = {});

// Pearson's correlation of two equally long lists; 0 where one is constant.
double correlation_of(std::span<const double> a, std::span<const double> b);

double mean_of(std::span<const double> values);

}  // namespace gatewise
