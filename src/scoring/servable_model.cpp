#include "scoring/servable_model.h"

namespace gatewise {
namespace {

std::optional<RowEncoder> row_encoder_of(const LoadedModel& model) {
  return model.encoder ? std::optional<RowEncoder>(*model.encoder) : std::nullopt;
}

}  // namespace

ServableModel::ServableModel(const std::string& directory) : ServableModel(load_model(directory)) {}

ServableModel::ServableModel(LoadedModel model)
    : loaded(std::move(model)),
      predictor(std::make_shared<const Predictor>(*loaded.graph, *loaded.store,
                                                  loaded.encoder ? &loaded.encoder->space() : nullptr)),
      encoder(row_encoder_of(loaded)) {}

}  // namespace gatewise
