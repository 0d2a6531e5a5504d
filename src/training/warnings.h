// Failures that training itself does not notice, said aloud.
#pragma once

#include <string>
#include <vector>

#include "base/threads.h"
#include "engine/store.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

// Numbers that are wildly scaled after encoding, by feature.
std::vector<std::string> find_wild_numbers(const FeatureSpace& space, const EncodedData& data);

// Regression tasks whose encoded labels are so large that training hardly reaches them.
std::vector<std::string> find_wild_labels(const FeatureSpace& space, const EncodedData& data);

// Rows on which an event of the chain happened without the one before it, by pair of neighbours in the chain.
std::vector<std::string> find_broken_chain(const FeatureSpace& space, const EncodedData& data,
                                           const std::vector<int64_t>& chain);

// Dead units, units that equal each other and experts that equal each other, on a sample of rows; none
// where there are too few rows to tell.
std::vector<std::string> find_degenerate_units(const Graph& graph, Store<float>& store,
                                               const FeatureSpace& space, const EncodedData& data,
                                               Pool& pool);

// Binary tasks whose validation AUC stays near 0.5 and regression tasks whose R2 is not above 0; `validation`
// as evaluate() returns it.
std::vector<std::string> find_stuck_tasks(const Json& validation);

// Multi-class tasks whose log loss is not below that of predicting each class by its share of `rows`, which
// `validation` judges.
std::vector<std::string> find_stuck_classes(const Json& validation, const FeatureSpace& space,
                                            const EncodedData& rows);

}  // namespace gatewise
