#include <algorithm>

#include "base/error.h"
#include "serving/infer_request.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

const RequestTensor* find_tensor(const InferRequest& request, std::string_view name,
                                 std::string_view suffix = {}) {
  for (const RequestTensor& tensor : request.tensors) {
    if (tensor.name.size() == name.size() + suffix.size() && tensor.name.starts_with(name) &&
        tensor.name.ends_with(suffix))
      return &tensor;
  }
  return nullptr;
}

// Sorted: a request has room for tens of thousands of names.
void check_names(const InferRequest& request, RequestMemory& memory) {
  const std::span<std::string_view> names = memory.take<std::string_view>(request.tensors.size());
  std::transform(request.tensors.begin(), request.tensors.end(), names.begin(),
                 [](const RequestTensor& tensor) { return tensor.name; });
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) refuse(400, "inputs: \"{}\" is given twice", twice->substr(0, 200));
}

// "seen" of "seen/offsets"; the name itself if it has no such end.
std::string_view without(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

bool is_feature(const ServedModel& model, std::string_view name) {
  const RowEncoder& encoder = *model.model().encoder;
  return encoder.find(name) >= 0 || encoder.find(without(name, "/offsets")) >= 0;
}

// The rows that a tensor has; all tensors of a request must agree.
class RowCount {
 public:
  explicit RowCount(const ProtocolWorker& worker) : worker_(worker) {}

  void add(const RequestTensor& tensor, int64_t rows) {
    if (first_ == nullptr) {
      first_ = &tensor;
      rows_ = rows;
      check_rows(worker_, "inputs", static_cast<size_t>(rows));
    } else if (rows != rows_) {
      refuse(400, "inputs: \"{}\" has {} rows, but \"{}\" has {}", tensor.name.substr(0, 200), rows,
             first_->name.substr(0, 200), rows_);
    }
  }
  int64_t rows() const { return rows_; }

 private:
  const ProtocolWorker& worker_;
  const RequestTensor* first_ = nullptr;
  int64_t rows_ = 0;
};

// The lists of rows within the flat values of a tensor.
struct ListPlaces {
  std::span<const int64_t> offsets;  // empty: each row has `width`
  int64_t width = 1;

  size_t begin(int64_t row) const {
    return static_cast<size_t>(offsets.empty() ? row * width : offsets[row]);
  }
  size_t size(int64_t row) const {
    return static_cast<size_t>(offsets.empty() ? width : offsets[row + 1] - offsets[row]);
  }
};

ListPlaces places_of(const RequestTensor& tensor, const RequestTensor* offsets, RequestMemory& memory) {
  ListPlaces places;
  if (offsets == nullptr) {
    if (tensor.rank == 2) places.width = tensor.shape[1];
    return places;
  }
  if (tensor.rank != 1)
    refuse(400, "inputs: \"{}\": got the shape {}, expected one axis beside \"{}\"",
           tensor.name.substr(0, 200), tensor.shape_text(), offsets->name.substr(0, 200));
  places.offsets = tensor_offsets(*offsets, tensor.elements(), memory);
  return places;
}

int64_t rows_of(const RequestTensor& tensor, const RequestTensor* offsets) {
  return offsets == nullptr ? tensor.shape[0] : std::max<int64_t>(offsets->shape[0] - 1, 0);
}

template <class T>
void set_lists(RawRows& rows, int64_t column, std::span<const T> items, const ListPlaces& places,
               int64_t count) {
  for (int64_t row = 0; row < count; ++row)
    rows.set(row, column, items.subspan(places.begin(row), places.size(row)));
}

bool is_list(RawKind kind) {
  return kind == RawKind::Numbers || kind == RawKind::Texts || kind == RawKind::Ids;
}

void bind_feature(ProtocolWorker& worker, const RequestTensor& tensor, const RequestTensor* offsets,
                  const RawColumn& column, int64_t place, int64_t rows) {
  // A text for each row is read as a field of a file, lists too.
  const bool is_field = tensor.type == TensorType::Bytes && tensor.rank == 1 && offsets == nullptr;
  if (!is_list(column.kind) || is_field) {
    if (offsets != nullptr || (tensor.rank == 2 && tensor.shape[1] != 1)) {
      refuse(400, "inputs: \"{}\": got the shape {}, expected [rows] or [rows, 1]: the feature is a {}",
             tensor.name.substr(0, 200), tensor.shape_text(), raw_kind_name(column.kind));
    }
    const std::span<const RawValue> values = tensor_values(tensor, column, worker.memory);
    for (int64_t row = 0; row < rows; ++row) worker.rows.set(row, place, values[static_cast<size_t>(row)]);
    return;
  }
  const ListPlaces places = places_of(tensor, offsets, worker.memory);
  if (column.kind == RawKind::Numbers) {
    set_lists(worker.rows, place, tensor_doubles(tensor, worker.memory), places, rows);
  } else if (column.kind == RawKind::Ids && tensor.type != TensorType::Bytes) {
    set_lists(worker.rows, place, tensor_long_ids(tensor, worker.memory), places, rows);
  } else {
    set_lists(worker.rows, place, tensor_texts(tensor, worker.memory), places, rows);
  }
}

bool is_input(const ServedModel& model, std::string_view name) {
  return std::any_of(model.inputs().begin(), model.inputs().end(), [&](const EncodedInput& input) {
    return name == input.name || (input.takes_lists && (without(name, "/offsets") == input.name ||
                                                        without(name, "/weights") == input.name));
  });
}

[[noreturn]] void refuse_mixture(std::string_view feature, std::string_view input) {
  refuse(
      400,
      "inputs: \"{}\" is a raw feature, \"{}\" an encoded input, and a request has tensors of one kind; send "
      "raw features or encoded inputs",
      feature.substr(0, 200), input.substr(0, 200));
}

// Both checks end at the first name that the model does not know, so that what follows looks at no more
// tensors than the model has names for.
void check_feature_names(ProtocolWorker& worker, const InferRequest& request, const ServedModel& model) {
  const auto feature = std::find_if(request.tensors.begin(), request.tensors.end(),
                                    [&](const auto& tensor) { return is_feature(model, tensor.name); });
  worker.rows.start(model, model.all_slots(), 0);
  for (const RequestTensor& tensor : request.tensors) {
    if (is_feature(model, tensor.name)) continue;
    if (is_input(model, tensor.name) && feature != request.tensors.end())
      refuse_mixture(feature->name, tensor.name);
    worker.rows.column(tensor.name, {"inputs"});
  }
}

void check_encoded_names(const InferRequest& request, const ServedModel& model) {
  for (const RequestTensor& tensor : request.tensors) {
    if (is_input(model, tensor.name)) continue;
    if (model.model().encoder && is_feature(model, tensor.name)) {
      const auto input = std::find_if(request.tensors.begin(), request.tensors.end(),
                                      [&](const auto& other) { return is_input(model, other.name); });
      if (input != request.tensors.end()) refuse_mixture(tensor.name, input->name);
      refuse(
          400,
          "inputs: \"{}\" is a raw feature, and the request says that its tensors are encoded; leave out the "
          "parameter \"encoded\"",
          tensor.name.substr(0, 200));
    }
    std::vector<std::string> known;
    for (const EncodedInput& input : model.inputs()) known.push_back(input.name);
    if (model.model().encoder) {
      const std::vector<std::string>& features = model.model().encoder->columns();
      known.insert(known.end(), features.begin(), features.end());
    }
    refuse(400, "inputs: the model has no input \"{}\".{}", tensor.name.substr(0, 200),
           suggestion(tensor.name, known));
  }
}

void bind_values(const EncodedInput& input, const RequestTensor& tensor, RequestMemory& memory,
                 ScoringInput& to) {
  const int64_t width = tensor.rank == 2 ? tensor.shape[1] : 1;
  if (width != input.width) {
    refuse(400, "inputs: \"{}\": got the shape {}, expected [rows, {}]", input.name, tensor.shape_text(),
           input.width);
  }
  to.values = {tensor_floats(tensor, memory).data(), width};
}

void bind_ids(const EncodedInput& input, const RequestTensor& tensor, const RequestTensor* offsets,
              const RequestTensor* weights, bool has_encoder, RequestMemory& memory, int64_t rows,
              ScoringInput& to) {
  to.ids = {tensor_ids(tensor, memory).data(), 1, nullptr, nullptr};
  const bool is_single = tensor.rank == 1 || tensor.shape[1] == 1;
  if (!input.takes_lists && !is_single) {
    refuse(400, "inputs: \"{}\": got the shape {}, expected [rows]: one id for each row", input.name,
           tensor.shape_text());
  }
  if (!input.takes_lists || (is_single && !has_encoder && offsets == nullptr && weights == nullptr)) return;
  const ListPlaces places = places_of(tensor, offsets, memory);
  if (places.offsets.empty()) {
    const std::span<int64_t> begins = memory.take<int64_t>(static_cast<size_t>(rows) + 1);
    for (size_t row = 0; row < begins.size(); ++row) begins[row] = static_cast<int64_t>(row) * places.width;
    to.ids.offsets = begins.data();
  } else {
    to.ids.offsets = places.offsets.data();
  }
  if (weights == nullptr) return;
  if (weights->elements() != tensor.elements()) {
    refuse(400, "inputs: \"{}\": got the shape {}, expected {} as its ids", weights->name.substr(0, 200),
           weights->shape_text(), tensor.shape_text());
  }
  to.ids.weights = tensor_floats(*weights, memory).data();
}

}  // namespace

bool takes_encoded(const InferRequest& request, const ServedModel& model) {
  if (!model.model().encoder) return true;
  if (request.is_encoded >= 0) return request.is_encoded == 1;
  // Names that are neither are refused as inputs of the graph, with both kinds of names at hand.
  return !is_feature(model, request.tensors.front().name);
}

int64_t bind_features(ProtocolWorker& worker, const InferRequest& request, const ServedModel& model) {
  check_names(request, worker.memory);
  check_feature_names(worker, request, model);
  const RowEncoder& encoder = *model.model().encoder;
  RowCount count(worker);
  for (const RequestTensor& tensor : request.tensors) {
    if (encoder.find(tensor.name) >= 0)
      count.add(tensor, rows_of(tensor, find_tensor(request, tensor.name, "/offsets")));
  }
  worker.rows.start(model, model.all_slots(), count.rows());
  for (const RequestTensor& tensor : request.tensors) {
    const int64_t place = encoder.find(tensor.name);
    if (place >= 0) {
      const RequestTensor* offsets = find_tensor(request, tensor.name, "/offsets");
      bind_feature(worker, tensor, offsets, model.columns()[static_cast<size_t>(place)], place, count.rows());
      continue;
    }
    const std::string_view list = without(tensor.name, "/offsets");
    if (encoder.find(list) < 0 || find_tensor(request, list) == nullptr)
      worker.rows.column(tensor.name, {"inputs"});
  }
  return count.rows();
}

int64_t bind_inputs(ProtocolWorker& worker, const InferRequest& request, const ServedModel& model,
                    ScoringSession& session) {
  check_names(request, worker.memory);
  check_encoded_names(request, model);
  RowCount count(worker);
  const std::vector<EncodedInput>& inputs = model.inputs();
  for (const EncodedInput& input : inputs) {
    const RequestTensor* tensor = find_tensor(request, input.name);
    if (tensor == nullptr) refuse(400, "inputs: \"{}\" is missing, which the model reads", input.name);
    count.add(*tensor,
              rows_of(*tensor, input.takes_lists ? find_tensor(request, input.name, "/offsets") : nullptr));
  }
  session.inputs.assign(inputs.size(), ScoringInput());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const RequestTensor& tensor = *find_tensor(request, inputs[i].name);
    if (inputs[i].is_ids) {
      bind_ids(inputs[i], tensor, find_tensor(request, inputs[i].name, "/offsets"),
               find_tensor(request, inputs[i].name, "/weights"), model.model().encoder.has_value(),
               worker.memory, count.rows(), session.inputs[i]);
    } else {
      bind_values(inputs[i], tensor, worker.memory, session.inputs[i]);
    }
  }
  return count.rows();
}

}  // namespace gatewise
