#include "exchange/onnx_features.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr int64_t real_type = 1, integer_type = 7;

class FeatureWriter {
 public:
  FeatureWriter(OnnxWriter& writer, const Encoder& encoder) : writer_(writer), encoder_(encoder) {}

  std::map<std::string, std::string> run() {
    const std::vector<ColumnSpec>& columns = encoder_.schema().columns;
    add_inputs();
    for (size_t index = 0; index < columns.size(); ++index) {
      const ColumnSpec& column = columns[index];
      switch (column.role) {
        case Role::Numeric:
          add_number(column, index);
          break;
        case Role::Vector:
          add_vector(column, index);
          break;
        case Role::Categorical:
          add_category(column, index);
          break;
        case Role::Bag:
          add_bag(column, index);
          break;
        case Role::Task:
          add_task(column);
          break;
        default:
          break;
      }
    }
    if (!numeric_.empty()) {
      const std::string all =
          numeric_.size() == 1 ? numeric_[0] : writer_.add("Concat", numeric_, {{"axis", 1}});
      encoded_["numeric"] = writer_.add("Cast", {all}, {{"to", real_type}});
    }
    return encoded_;
  }

 private:
  std::string real(double value) { return writer_.doubles({value}, Shape{}); }

  std::string is_missing(const std::string& x) { return writer_.add("IsNaN", {x}); }

  // All of them before any operation, whose names then keep clear of those of columns.
  void add_inputs() {
    std::vector<std::string> bags, names;
    for (const ColumnSpec& column : encoder_.schema().columns) {
      if (column.is_feature() || column.role == Role::Task) names.push_back(column.name);
      if (column.role == Role::Bag) bags.push_back(column.name);
    }
    check_weight_inputs(bags, names);
    for (const ColumnSpec& column : encoder_.schema().columns) {
      if (column.role == Role::Numeric) writer_.input(column.name, OnnxType::Double, {"rows"});
      if (column.role == Role::Vector)
        writer_.input(column.name, OnnxType::Double, {"rows", std::to_string(column.width)});
      if (column.role == Role::Categorical) writer_.input(column.name, type_of_values(column), {"rows"});
      if (column.role == Role::Task) writer_.input(column.name, OnnxType::Text, {"rows"});
      if (column.role != Role::Bag) continue;
      const std::vector<std::string> sizes{"rows", "longest " + column.name};
      writer_.input(column.name, type_of_values(column), sizes);
      writer_.input(column.name + "/weights", OnnxType::Real, sizes);
    }
  }

  static OnnxType type_of_values(const ColumnSpec& column) {
    return column.has_ids() || column.hash_buckets > 0 ? OnnxType::Integer : OnnxType::Text;
  }

  // A flag as a number in double precision.
  std::string number_of(const std::string& flag) { return writer_.add("Cast", {flag}, {{"to", 11}}); }

  // x [rows, width] scaled column by column; 0 where missing.
  std::string scaled(const std::string& x, const std::vector<Scaling>& scalings) {
    std::vector<double> means, scales;
    for (const Scaling& scaling : scalings) {
      means.push_back(scaling.mean());
      scales.push_back(scaling.scale());
    }
    std::string value = x;
    if (scalings[0].transform() == "log1p") {
      const std::string size = writer_.add("Log", {writer_.add("Add", {writer_.add("Abs", {x}), real(1)})});
      value = writer_.add("Mul", {writer_.add("Sign", {x}), size});
    }
    const Shape shape{static_cast<int64_t>(scalings.size())};
    value = writer_.add("Sub", {value, writer_.doubles(means, shape)});
    value = writer_.add("Div", {value, writer_.doubles(scales, shape)});
    return writer_.add("Where", {is_missing(x), real(0), value});
  }

  void add_number(const ColumnSpec& column, size_t index) {
    const std::string& given = column.name;
    const std::string x = writer_.add("Unsqueeze", {given, writer_.integers({1})});
    const std::vector<Scaling>& scalings = encoder_.scalings(index);
    if (encoder_.table_of(index) >= 0) {
      // The number of edges that are at most x, counted from 1; 0 where missing.
      const std::vector<double>& edges = scalings[0].edges();
      const std::string reached = writer_.add(
          "GreaterOrEqual", {x, writer_.doubles(edges, Shape{static_cast<int64_t>(edges.size())})});
      const std::string count = writer_.add(
          "ReduceSum", {writer_.add("Cast", {reached}, {{"to", integer_type}}), writer_.integers({1})},
          {{"keepdims", 0}});
      const std::string bin = writer_.add("Add", {count, writer_.integer(1)});
      encoded_["ids/" + column.name] = writer_.add("Where", {is_missing(given), writer_.integer(0), bin});
    } else {
      numeric_.push_back(scaled(x, scalings));
    }
    if (column.missing_indicator) numeric_.push_back(number_of(is_missing(x)));
  }

  // A missing vector is one of NaN alone.
  void add_vector(const ColumnSpec& column, size_t index) {
    const std::string& x = column.name;
    numeric_.push_back(scaled(x, encoder_.scalings(index)));
    if (!column.missing_indicator) return;
    const std::string missing =
        writer_.add("ReduceMin", {number_of(is_missing(x))}, {{"axes", {1}}, {"keepdims", 1}});
    numeric_.push_back(missing);
  }

  // Texts and ids by the vocabulary; hashed ones enter as the index of their bucket, counted from 0, with -1
  // where missing.
  std::string indices(const ColumnSpec& column, size_t index) {
    const Vocabulary& vocabulary = *encoder_.vocabulary(encoder_.table_of(index));
    const auto missing = static_cast<int64_t>(vocabulary.missing_index());
    const int64_t first =
        vocabulary.rows() - (vocabulary.is_hashed() ? vocabulary.buckets() : vocabulary.levels());
    if (vocabulary.is_hashed()) {
      const std::string& bucket = column.name;
      const std::string is_absent = writer_.add("Less", {bucket, writer_.integer(0)});
      return writer_.add("Where", {is_absent, writer_.integer(missing),
                                   writer_.add("Add", {bucket, writer_.integer(first)})});
    }
    std::vector<int64_t> values;
    for (int64_t level = 0; level < vocabulary.levels(); ++level) values.push_back(first + level);
    if (vocabulary.has_ids()) {
      std::vector<int64_t> keys;
      for (const uint64_t id : vocabulary.ids()) keys.push_back(static_cast<int64_t>(id));
      // No id of a bag is missing.
      if (column.role == Role::Categorical) {
        keys.push_back(missing_id(keys));
        values.push_back(missing);
        writer_.note("missing:" + column.name, std::to_string(keys.back()));
      }
      return writer_.look_up(column.name, keys, values, 0);
    }
    std::vector<std::string> keys = vocabulary.texts();
    for (const std::string& text : missing_texts(column)) {
      if (std::find(keys.begin(), keys.end(), text) != keys.end()) continue;
      keys.push_back(text);
      values.push_back(missing);
    }
    return writer_.look_up(column.name, keys, values, 0);
  }

  // What stands for a missing id: -1 or, if that is a known id, the least number that is none.
  static int64_t missing_id(const std::vector<int64_t>& ids) {
    const std::set<int64_t> known(ids.begin(), ids.end());
    int64_t free = -1;
    if (known.count(free) > 0) free = std::numeric_limits<int64_t>::min();
    while (known.count(free) > 0) ++free;
    return free;
  }

  // What stands for a missing value in files, and the empty text.
  std::set<std::string> missing_texts(const ColumnSpec& column) const {
    const std::vector<std::string>& general = encoder_.schema().data.null;
    std::set<std::string> texts(general.begin(), general.end());
    if (column.null.is_array()) texts = column.null.get<std::set<std::string>>();
    texts.insert("");
    return texts;
  }

  void add_category(const ColumnSpec& column, size_t index) {
    encoded_["ids/" + column.name] = indices(column, index);
  }

  void add_bag(const ColumnSpec& column, size_t index) {
    const std::string name = "bags/" + column.name;
    encoded_[name] = indices(column, index);
    encoded_[name + "/weights"] = column.name + "/weights";
  }

  // Runtimes read negative indices from the end. An unknown task gets one that is out of range instead, and
  // is looked up once more, so that the run fails whatever the model does with it.
  void add_task(const ColumnSpec& column) {
    std::vector<std::string> names;
    std::vector<int64_t> places;
    for (const TaskSpace& task : encoder_.space().tasks) {
      places.push_back(static_cast<int64_t>(places.size()));
      names.push_back(task.name);
    }
    const auto unknown = static_cast<int64_t>(places.size());
    const std::string place = writer_.look_up(column.name, names, places, unknown);
    encoded_["row_task"] = writer_.add("Gather", {writer_.integers(places), place}, {{"axis", 0}});
  }

  OnnxWriter& writer_;
  const Encoder& encoder_;
  std::vector<std::string> numeric_;  // [rows, width] each, in double precision
  std::map<std::string, std::string> encoded_;
};

}  // namespace

void check_weight_inputs(const std::vector<std::string>& bags, const std::vector<std::string>& names) {
  for (const std::string& bag : bags) {
    if (std::find(names.begin(), names.end(), bag + "/weights") == names.end()) continue;
    data_error(
        "onnx: the feature \"{0}/weights\" has the name of the input for the weights of the bag \"{0}\"; "
        "rename one of the two columns and train again",
        bag);
  }
}

std::map<std::string, std::string> write_features(OnnxWriter& writer, const Encoder& encoder) {
  return FeatureWriter(writer, encoder).run();
}

}  // namespace gatewise
