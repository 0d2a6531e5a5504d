// Encoder files and vocabularies: the description and then the levels of each table that keeps some, in
// order.
#include "base/error.h"
#include "tests/fuzz/sample_model.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

const Encoder& sample_encoder() {
  static const Encoder encoder = SampleModel(small_mmoe()).encoder;
  return encoder;
}

void read_encoder_files(std::string_view input) {
  const std::vector<std::string> parts = fuzz_parts(input);
  std::map<std::string, std::string> levels = sample_encoder().vocabularies();
  size_t part = 1;
  for (auto& [table, content] : levels) {
    if (part < parts.size()) content = parts[part++];
  }
  const Encoder encoder = Encoder::from_json(Json::parse(parts[0], nullptr, false), levels);
  const Json written = encoder.to_json();
  fuzz_require(Encoder::from_json(written, encoder.vocabularies()).to_json() == written,
               "an encoder does not read back as it was written");
  const RowEncoder rows(encoder);
  EncodedData encoded;
  static const auto fields = fields_of(every_kind_csv);
  for (const auto& row : fields) {
    std::vector<RawValue> values;
    for (const std::string& column : rows.columns()) {
      const auto found = row.find(column);
      values.push_back(found == row.end() ? RawValue(7.0) : std::string_view(found->second));
    }
    rows.encode(values, 1, encoded);
    for (size_t i = 0; i < encoder.space().ids.size(); ++i) {
      const IdFeature& feature = encoder.space().ids[i];
      fuzz_require(encoded.ids[feature.column] < encoder.space().tables[feature.table].rows,
                   "an id is no row of its table");
    }
  }
}

std::vector<std::string> encoder_files() {
  std::vector<std::string> parts{sample_encoder().to_json().dump()};
  for (const auto& [table, content] : sample_encoder().vocabularies()) parts.push_back(content);
  return {join_fuzz_parts(parts), parts[0]};
}

std::vector<std::string> words_of_encoders() {
  std::vector<std::string> words{
      "standardise", "log1p",        "quantile", "none",  "mean", "sum", "id",
      "text",        "hash_buckets", "task",     "label", "\\",   "\\n", "18446744073709551616",
      "numeric",     "bag"};
  return words;
}

const RegisterFuzzTarget encoder_registered{"encoder",
                                            {read_encoder_files, encoder_files, words_of_encoders, 700}};

}  // namespace
}  // namespace gatewise
