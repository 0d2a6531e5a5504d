// Raw values of rows: encoded and scored by a model of every kind of column.
#include <cmath>

#include "scoring/predictor.h"
#include "tests/fuzz/random_rows.h"
#include "tests/fuzz/sample_model.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

struct Scored {
  explicit Scored(const Json& options)
      : model(options),
        rows(model.encoder),
        predictor(std::make_shared<const Predictor>(*model.graph, *model.store, &model.encoder.space())),
        run(predictor) {}

  SampleModel model;
  RowEncoder rows;
  std::shared_ptr<const Predictor> predictor;
  PredictionRun run;
  EncodedData encoded;
};

void score_rows(std::string_view input) {
  static Scored dense(small_mmoe()), sparse(small_sparse());
  for (Scored* scored : {&dense, &sparse}) {
    const RandomRows given(input, scored->rows.columns().size());
    scored->rows.encode(given.values, given.rows, scored->encoded);
    std::vector<float> predictions(static_cast<size_t>(given.rows * scored->predictor->width()));
    scored->run.predict(scored->encoded, 0, given.rows, predictions.data());
    scored->predictor->require_finite(predictions.data(), given.rows);
    for (const float value : predictions)
      fuzz_require(std::isfinite(value), fmt::format("the prediction {} without a word", value));
  }
}

// Rows of the file as texts, and some of typed values.
std::vector<std::string> raw_rows() {
  const SampleModel model(small_mmoe());
  const RowEncoder rows(model.encoder);
  std::vector<std::string> seeds;
  for (const auto& fields : fields_of(every_kind_csv)) {
    std::string seed(1, '\0');
    for (const std::string& column : rows.columns()) {
      const std::string text = fields.at(column).substr(0, 15);
      seed += static_cast<char>(3 + 16 * text.size());
      seed += text;
    }
    seeds.push_back(seed);
  }
  std::string typed("\0\x07\x20\x07\x05\x07\x03", 7);
  seeds.push_back(typed);
  return seeds;
}

std::vector<std::string> values_as_text() {
  return {"1e308", "-1e308", "nan",        "inf", "|", "1|2|3", "18446744073709551616",
          "-1",    "hot",    "2011-01-31", "?",   "+"};
}

const RegisterFuzzTarget rows_registered{"rows", {score_rows, raw_rows, values_as_text, 4000}};

}  // namespace
}  // namespace gatewise
