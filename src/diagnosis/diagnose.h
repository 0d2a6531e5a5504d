// A trained model examined on rows: what its experts and gates do, what they are worth, and what is wrong.
#pragma once

#include <optional>

#include "diagnosis/options.h"
#include "diagnosis/remedies.h"
#include "diagnosis/shared_parts.h"
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
  // Models of single tasks on the same rows; none with `why_no_single` where sharing is not judged.
  SeedDraws rivals;
  std::string why_no_single;
  DiagnosisOptions options;
  SharedParts shared = SharedParts::Parameters;  // what the model shares
};

// Looks up what the model shares and says in `why_no_single` where it is nothing: there is then no rival to
// train.
void look_for_sharing(DiagnosisRequest& request, Pool& pool);

// The whole result as docs/diagnosis.md describes it. Throws Error(Data) for rows without labels or fewer
// than 20 of them.
Json diagnose(const DiagnosisRequest& request, Pool& pool);

// The remedies of a result's verdicts, for suggested_configuration().
std::vector<Remedy> remedies_of(const Json& diagnosis);

}  // namespace gatewise
