#include "training/checkpointing.h"

#include <filesystem>

#include "base/error.h"
#include "model_file/checkpoint.h"
#include "training/run_identity.h"

namespace gatewise {
namespace {

NamedTensor tensor_of(const std::string& name, const float* data, int64_t size) {
  return {name, "F32", {size}, data};
}

void copy_into(const TensorFile& tensors, const std::string& name, float* target, int64_t size) {
  const std::span<const float> values = tensors.get<float>(name, {size});
  std::copy(values.begin(), values.end(), target);
}

// visit(name, data, size) for every array of the store.
template <class Visit>
void each_array(Store<float>& store, const Visit& visit) {
  visit("arena", store.arena().data(), store.arena().size());
  visit("states", store.states().data(), store.states().size());
  for (size_t i = 0; i < store.layout().places.size(); ++i) {
    const ParameterPlace& place = store.layout().places[i];
    if (place.is_big_table) visit(fmt::format("tables/{}", i), store.at(place), place.extent());
  }
}

// Counts stay far from where their products overflow.
int64_t count_at(const std::string& path, const Json& saved, const char* name) {
  constexpr int64_t most = int64_t{1} << 40;
  const Json& value = saved.at(name);
  const int64_t count = value.is_number_integer() ? value.get<int64_t>() : -1;
  if (count < 0 || count > most) {
    data_error("{}: the state of the run is damaged; got {} = {}, expected a count; delete it to start over",
               path, name, value.dump());
  }
  return count;
}

// `into` has the size that the run needs.
template <class T>
void read_list(const std::string& path, const Json& saved, const char* name, std::vector<T>& into) {
  std::vector<T> values = saved.at(name).get<std::vector<T>>();
  if (values.size() != into.size()) {
    data_error("{}: the state of the run is damaged; got {} of {}, expected {}; delete it to start over",
               path, values.size(), name, into.size());
  }
  into = std::move(values);
}

void read_state(const std::string& path, const Json& saved, TrainingState& state) {
  state.epoch = count_at(path, saved, "epoch");
  state.step = count_at(path, saved, "step");
  state.optimiser_steps = count_at(path, saved, "optimiser_steps");
  state.activation_bytes = count_at(path, saved, "activation_bytes");
  saved.at("total_loss").get_to(state.total_loss);
  read_list(path, saved, "task_losses", state.task_losses);
  read_list(path, saved, "task_steps", state.task_steps);
  read_list(path, saved, "penalties", state.penalties);
  state.history = saved.at("history");
  for (const char* list : {"epochs", "warnings"}) {
    if (!state.history.at(list).is_array())
      data_error("{}: the history of the run has no list of {}; delete it to start over", path, list);
  }
  state.stopper = saved.at("stopper");
  state.probes = saved.at("probes");
}

}  // namespace

Weights copy_weights(const Store<float>& store) {
  Weights weights;
  each_array(const_cast<Store<float>&>(store), [&](const std::string& name, const float* data, int64_t size) {
    std::vector<float> copy(data, data + size);
    if (name == "arena") {
      weights.arena = std::move(copy);
    } else if (name == "states") {
      weights.states = std::move(copy);
    } else {
      weights.big_tables.push_back(std::move(copy));
    }
  });
  return weights;
}

void restore_weights(Store<float>& store, const Weights& weights) {
  size_t table = 0;
  each_array(store, [&](const std::string& name, float* data, int64_t) {
    const std::vector<float>& from = name == "arena"    ? weights.arena
                                     : name == "states" ? weights.states
                                                        : weights.big_tables[table++];
    std::copy(from.begin(), from.end(), data);
  });
}

void save_training(const std::string& path, const TrainingState& state, Store<float>& store,
                   Optimiser<float>& optimiser, const Json& identity) {
  Checkpoint checkpoint;
  checkpoint.state = {{"identity", identity},
                      {"epoch", state.epoch},
                      {"step", state.step},
                      {"total_loss", state.total_loss},
                      {"task_losses", state.task_losses},
                      {"task_steps", state.task_steps},
                      {"penalties", state.penalties},
                      {"history", state.history},
                      {"stopper", state.stopper},
                      {"probes", state.probes},
                      {"optimiser_steps", state.optimiser_steps},
                      {"activation_bytes", state.activation_bytes},
                      {"has_best", !state.best.is_empty()}};
  each_array(store, [&](const std::string& name, const float* data, int64_t size) {
    checkpoint.tensors.push_back(tensor_of("weights/" + name, data, size));
  });
  for (const StateArray<float>& array : optimiser.state()) {
    checkpoint.tensors.push_back(tensor_of("optimiser/" + array.name, array.data, array.size));
  }
  const auto add_best = [&](const std::string& name, const std::vector<float>& values) {
    checkpoint.tensors.push_back(
        tensor_of("best/" + name, values.data(), static_cast<int64_t>(values.size())));
  };
  if (!state.best.is_empty()) {
    add_best("arena", state.best.arena);
    add_best("states", state.best.states);
    for (size_t i = 0; i < state.best.big_tables.size(); ++i) {
      add_best(fmt::format("tables/{}", i), state.best.big_tables[i]);
    }
  }
  write_checkpoint(path, checkpoint);
}

bool restore_training(const std::string& path, TrainingState& state, Store<float>& store,
                      Optimiser<float>& optimiser, const Json& identity) {
  if (!std::filesystem::exists(path)) return false;
  const LoadedCheckpoint loaded = load_checkpoint(path);
  const Json& saved = loaded.state;
  bool has_best = false;
  try {
    state.changes = compare_identities(path, saved.at("identity"), identity);
    read_state(path, saved, state);
    saved.at("has_best").get_to(has_best);
  } catch (const Json::exception& fault) {
    data_error("{}: the state of the run is damaged ({}); delete it to start over", path, fault.what());
  }
  each_array(store, [&](const std::string& name, float* data, int64_t size) {
    copy_into(loaded.tensors, "weights/" + name, data, size);
  });
  for (const StateArray<float>& array : optimiser.state()) {
    copy_into(loaded.tensors, "optimiser/" + array.name, array.data, array.size);
  }
  if (!has_best) return true;
  state.best = copy_weights(store);
  const auto take_best = [&](const std::string& name, std::vector<float>& values) {
    copy_into(loaded.tensors, "best/" + name, values.data(), static_cast<int64_t>(values.size()));
  };
  take_best("arena", state.best.arena);
  take_best("states", state.best.states);
  for (size_t i = 0; i < state.best.big_tables.size(); ++i) {
    take_best(fmt::format("tables/{}", i), state.best.big_tables[i]);
  }
  return true;
}

}  // namespace gatewise
