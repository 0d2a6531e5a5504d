#include "configuration/scoring_rows.h"

#include <algorithm>

#include "base/error.h"
#include "table/table_files.h"

namespace gatewise {

LoadedModel load_scorable_model(const std::string& directory) {
  LoadedModel model = load_model(directory);
  if (!model.encoder) {
    data_error(
        "{}: the model takes encoded rows and cannot read files; got no encoder.json, expected a model that "
        "gatewise fit has written",
        directory);
  }
  return model;
}

EncodedData load_scoring_rows(const LoadedModel& model, const ScoringSource& source,
                              const Overrides& overrides, bool with_labels) {
  Json data{{"data", write_options(model.encoder->schema().data)}};
  overrides.apply(data, "data");
  Schema schema = model.encoder->schema();
  schema.data = Schema::from_json(data).data;
  schema.split = SplitSpec();  // every row is scored, whatever part it would be
  const Part part = *std::find_if(std::begin(all_parts), std::end(all_parts),
                                  [&](Part candidate) { return source.part == part_name(candidate); });
  ReadOptions options = schema.data.read_options(part);
  options.columns = schema.requests(with_labels);
  const Table table = read_table(source.files, options);
  if (table.rows() == 0) data_error("{}: there is no row to score", table.name());
  return model.encoder->encode(table, with_labels);
}

}  // namespace gatewise
