// A trained model examined on rows: what its experts and gates do, what they are worth, and what is wrong.
#pragma once

#include <optional>

#include "diagnosis/options.h"
#include "diagnosis/remedies.h"
#include "diagnosis/sharing.h"
#include "diagnosis/slices.h"

namespace gatewise {

struct DiagnosisRequest {
  const Graph& graph;
  Store<float>& store;
  const FeatureSpace& space;
  Json configuration;  // all fields written out; may be empty
  Json history;        // as train() gives it; may be null
  const EncodedData& rows;
  std::optional<Slices> slices;  // of those rows
  // Models of single tasks on the same rows; empty with `why_no_single` where sharing is not judged.
  std::vector<JudgedModel> singles;
  std::string why_no_single;
  DiagnosisOptions options;
};

// The whole result as docs/diagnosis.md describes it. Throws Error(Data) for rows without labels or fewer
// than 20 of them.
Json diagnose(const DiagnosisRequest& request, Pool& pool);

// The remedies of a result's verdicts, for suggested_configuration().
std::vector<Remedy> remedies_of(const Json& diagnosis);

}  // namespace gatewise
