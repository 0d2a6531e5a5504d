// A model that was saved long ago still loads and scores as it did. saved/format_1 is kept as it is: its
// making is
//   GATEWISE_SAVE_MODEL_TO=tests/model_file/saved/format_1 build/release/tests/test_model_file
//   --gtest_filter='SavedModel.*'
// which writes the model and, beside it, its predictions; only ever for a new format.
#include "tests/model_file/models.h"

namespace gatewise {
namespace {

void make(const std::string& directory) {
  SmallModel model;
  model.save(directory);
  const EncodedData data = model.encoder.encode(small_table(), false);
  write_over(directory + "_predictions.json",
             Json(scores(model.store, model.encoder.space(), data)).dump(1) + "\n");
}

TEST(SavedModel, Format1ScoresAsWhenItWasSaved) {
  if (const char* directory = std::getenv("GATEWISE_SAVE_MODEL_TO")) make(directory);
  const std::string directory = GATEWISE_SOURCE_DIR "/tests/model_file/saved/format_1";
  LoadedModel model = load_model(directory);
  ASSERT_TRUE(model.encoder.has_value());
  const auto found =
      scores(*model.store, model.encoder->space(), model.encoder->encode(small_table(), false));
  const Json expected = Json::parse(content_of(directory + "_predictions.json"));
  ASSERT_EQ(expected.size(), found.size());
  for (const auto& [task, values] : found) {
    ASSERT_EQ(expected[task].size(), values.size());
    for (size_t row = 0; row < values.size(); ++row) {
      EXPECT_NEAR(values[row], expected[task][row].get<double>(), 1e-6) << task << " " << row;
    }
  }
  EXPECT_EQ(model.configuration["model"]["type"], "mmoe");
}

}  // namespace
}  // namespace gatewise
