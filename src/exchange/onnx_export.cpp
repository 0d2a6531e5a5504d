#include "exchange/onnx_export.h"

#include "base/error.h"
#include "exchange/onnx_features.h"
#include "training/model.h"

namespace gatewise {
namespace {

// "experts/0/weight", "experts/1/weight" -> "experts/*/weight".
std::string common_name(const std::vector<std::string>& paths) {
  const std::string& first = paths.front();
  if (paths.size() == 1) return first;
  size_t begin = first.size(), end = first.size();
  for (const std::string& path : paths) {
    size_t same = 0;
    while (same < std::min(begin, path.size()) && path[same] == first[same]) ++same;
    begin = same;
  }
  for (const std::string& path : paths) {
    size_t same = 0;
    const size_t most = std::min({end, path.size() - begin, first.size() - begin});
    while (same < most && path[path.size() - 1 - same] == first[first.size() - 1 - same]) ++same;
    end = same;
  }
  // Whole parts of paths only, so that paths "a/10" and "a/11" share "a/".
  begin = first.rfind('/', begin) == std::string::npos ? 0 : first.rfind('/', begin == 0 ? 0 : begin - 1) + 1;
  const size_t slash = first.find('/', first.size() - end);
  return first.substr(0, begin) + "*" + (slash == std::string::npos ? "" : first.substr(slash));
}

class Exporter {
 public:
  Exporter(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
           const OnnxOptions& options, const Encoder* encoder)
      : graph_(graph), store_(store), space_(space), options_(options) {
    if (encoder != nullptr) {
      features_ = write_features(writer_, *encoder);
    } else {
      std::vector<std::string> bags;
      for (const BagFeature& bag : space.bags) bags.push_back(bag.name);
      check_weight_inputs(bags, bags);
    }
    values_.resize(graph.nodes().size());
    branch_values_.resize(graph.nodes().size());
    branch_rows_.resize(graph.nodes().size());
  }

  std::string run() {
    std::vector<std::pair<std::string, int>> wanted;
    if (space_.has_own_labels()) {
      wanted.emplace_back(own_output, graph_.find(own_output));
    } else {
      for (const TaskSpace& task : space_.tasks) wanted.emplace_back(task.name, graph_.find(task.name));
    }
    const size_t predictions = wanted.size();
    for (const std::string& name : options_.values) wanted.emplace_back(name, graph_.find(name));
    std::vector<bool> needed(graph_.nodes().size(), false);
    for (const auto& [name, node] : wanted) mark(node, needed);
    for (const Node& node : graph_.nodes()) {
      if (needed[node.id] && is_given(node)) write_leaf(node);
    }
    for (const Node& node : graph_.nodes()) {
      if (needed[node.id] && !is_given(node)) write(node);
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto& [name, node] = wanted[i];
      if (i < predictions) {
        put_out_prediction(name, node, i);
      } else {
        put_out(name, node);
      }
    }
    return writer_.finish();
  }

 private:
  static bool is_given(const Node& node) { return node.leaf == Leaf::Input || node.leaf == Leaf::Ids; }

  // Of an operation: whether it is read. One of two ways to compute a value is.
  bool reads(const Node& node, size_t input) const {
    if (node.op->name() == "alternative") return input == (options_.routes ? 1 : 0);
    return node.op->uses_input(static_cast<int>(input), false);
  }

  void mark(int id, std::vector<bool>& needed) const {
    if (needed[id]) return;
    needed[id] = true;
    const Node& node = graph_.node(id);
    for (size_t input = 0; input < node.inputs.size(); ++input) {
      if (reads(node, input)) mark(node.inputs[input], needed);
    }
  }

  void write_leaf(const Node& node) {
    std::string& value = values_[node.id];
    const std::string& name = node.name;
    const bool is_bag = name.starts_with("bags/");
    if (const auto found = features_.find(name); found != features_.end()) {
      value = found->second;
      if (is_bag) bag_weights_[node.id] = features_.at(name + "/weights");
    } else if (node.leaf == Leaf::Input) {
      std::vector<std::string> sizes{"rows"};
      for (const int64_t size : node.signature.shape.sizes) sizes.push_back(std::to_string(size));
      value = writer_.input(name, OnnxType::Real, sizes);
    } else if (is_bag) {
      value = writer_.input(name, OnnxType::Integer, {"rows", "longest " + name});
      bag_weights_[node.id] = writer_.input(name + "/weights", OnnxType::Real, {"rows", "longest " + name});
    } else {
      value = writer_.input(name, OnnxType::Integer, {"rows"});
    }
    if (row_count_.empty()) {
      const std::string sizes = writer_.add("Shape", {value});
      row_count_ = writer_.add("Slice", {sizes, writer_.integers({0}), writer_.integers({1})});
    }
    if (name == "row_task") row_task_ = value;
  }

  void write(const Node& node) {
    switch (node.leaf) {
      case Leaf::None:
        write_operation(node);
        return;
      case Leaf::Constant:
        values_[node.id] = writer_.reals(node.constant, node.signature.shape);
        return;
      case Leaf::Scalar:
        command_error("onnx: the model needs the number \"{}\" with every batch; give it as a constant",
                      node.name);
      default:
        break;
    }
    std::vector<std::vector<float>> parts;
    for (const std::string& path : node.paths) parts.push_back(store_.get(path));
    std::vector<float> all;
    if (node.slices_last_axis) {
      const int64_t width = node.signature.shape.last() / static_cast<int64_t>(parts.size());
      for (int64_t row = 0; row < node.signature.shape.outer(); ++row) {
        for (const std::vector<float>& part : parts)
          all.insert(all.end(), part.begin() + row * width, part.begin() + (row + 1) * width);
      }
    } else {
      for (const std::vector<float>& part : parts) all.insert(all.end(), part.begin(), part.end());
    }
    values_[node.id] = writer_.parameter(common_name(node.paths), all, node.signature.shape);
    if (node.paths.size() > 1) writer_.note("paths:" + values_[node.id], Json(node.paths).dump());
  }

  bool is_by_branch(const Node& node) const {
    return options_.routes && node.signature.domain == Domain::Routed;
  }

  int64_t leading(const Signature& signature, bool is_by_branch) const {
    return signature.domain == Domain::Static ? 0
           : signature.domain == Domain::Row  ? 1
           : is_by_branch                     ? 1
                                              : 2;
  }

  void write_operation(const Node& node) {
    if (node.op->name() == "route") {
      if (options_.routes) write_route(node);
      return;
    }
    LoweringCall call{writer_, {}, {}, node.signature, {}, 0};
    for (size_t input = 0; input < node.inputs.size(); ++input) {
      const Node& from = graph_.node(node.inputs[input]);
      call.inputs.push_back(reads(node, input) ? values_[from.id] : "");
      call.shapes.push_back(from.signature);
      call.leading.push_back(leading(from.signature, options_.routes));
      if (const auto found = bag_weights_.find(from.id); found != bag_weights_.end())
        call.bag_weights = found->second;
    }
    call.out_leading = leading(node.signature, options_.routes);
    if (!is_by_branch(node)) {
      call.lead_sizes = row_count_;
      if (call.out_leading == 2) {
        const std::string branches =
            writer_.integers({graph_.node(node.signature.route).signature.shape.elements()});
        call.lead_sizes = writer_.add("Concat", {row_count_, branches}, {{"axis", 0}});
      }
      if (options_.routes && node.op->name() == "combine") {
        const std::vector<std::string>& rows = branch_rows_[node.inputs[2]];
        for (size_t branch = 0; branch < rows.size(); ++branch)
          call.parts.push_back({rows[branch], branch_values_[node.inputs[0]][branch]});
      }
      values_[node.id] = node.op->lower(call);
      return;
    }
    const std::vector<std::string>& rows = branch_rows_[node.signature.route];
    for (size_t branch = 0; branch < rows.size(); ++branch) {
      for (size_t input = 0; input < node.inputs.size(); ++input) {
        if (is_by_branch(graph_.node(node.inputs[input])))
          call.inputs[input] = branch_values_[node.inputs[input]][branch];
      }
      call.branch = static_cast<int64_t>(branch);
      call.rows = rows[branch];
      call.lead_sizes = writer_.add("Shape", {rows[branch]});
      branch_values_[node.id].push_back(node.op->lower(call));
    }
  }

  // The rows of each branch: those whose entry is not 0.
  void write_route(const Node& node) {
    const Node& chosen = graph_.node(node.inputs[0]);
    const int64_t branches = node.signature.shape.elements();
    std::string all = values_[chosen.id];
    if (chosen.signature.domain == Domain::Static) {
      const std::string sizes =
          writer_.add("Concat", {row_count_, writer_.integers({branches})}, {{"axis", 0}});
      all = writer_.add("Expand", {all, sizes});
    }
    for (int64_t branch = 0; branch < branches; ++branch) {
      const std::string column = writer_.add(
          "Slice", {all, writer_.integers({branch}), writer_.integers({branch + 1}), writer_.integers({1})});
      const std::string of_rows = writer_.add("Squeeze", {column, writer_.integers({1})});
      const std::string rows = writer_.add("NonZero", {of_rows});
      branch_rows_[node.id].push_back(writer_.add("Squeeze", {rows, writer_.integers({0})}));
    }
  }

  void put_out(const std::string& name, int id) {
    const Signature& signature = graph_.node(id).signature;
    std::vector<std::string> sizes;
    if (signature.domain == Domain::Row) sizes.emplace_back("rows");
    for (const int64_t size : signature.shape.sizes) sizes.push_back(std::to_string(size));
    writer_.output(name, values_[id], sizes);
  }

  void put_out_prediction(const std::string& name, int id, size_t index) {
    const TaskSpace& task = space_.tasks[index];
    std::string value = values_[id];
    const int64_t width = graph_.node(id).signature.shape.elements();
    if (task.kind != "multiclass") {
      value = writer_.add("Reshape", {value, writer_.integers({-1})});
      if (task.kind == "regression") value = in_original_units(value, index);
      writer_.output(name, value, {"rows"});
    } else {
      value = writer_.add("Reshape", {value, writer_.integers({-1, width})});
      writer_.output(name, value, {"rows", std::to_string(width)});
    }
  }

  // Undoes the scaling of labels: that of the task, or of the row's own.
  std::string in_original_units(std::string value, size_t index) {
    std::vector<double> scales, means, logs;
    const bool is_own = space_.has_own_labels();
    for (size_t task = is_own ? 0 : index; task < (is_own ? space_.tasks.size() : index + 1); ++task) {
      const Scaling& scaling = space_.tasks[task].scaling;
      scales.push_back(scaling.scale());
      means.push_back(scaling.mean());
      logs.push_back(scaling.transform() == "log1p" ? 1 : 0);
    }
    const auto of_row = [&](const std::vector<double>& values) {
      const std::string table = writer_.reals(values, Shape{static_cast<int64_t>(values.size())});
      return is_own ? writer_.add("Gather", {table, row_task_}, {{"axis", 0}}) : table;
    };
    value = writer_.add("Add", {writer_.add("Mul", {value, of_row(scales)}), of_row(means)});
    if (std::count(logs.begin(), logs.end(), 1.0) == 0) return value;
    const std::string grown =
        writer_.add("Sub", {writer_.add("Exp", {writer_.add("Abs", {value})}), writer_.real(1)});
    const std::string inverse = writer_.add("Mul", {writer_.add("Sign", {value}), grown});
    const std::string is_log = writer_.add("Greater", {of_row(logs), writer_.real(0)});
    return writer_.add("Where", {is_log, inverse, value});
  }

  const Graph& graph_;
  const Store<float>& store_;
  const FeatureSpace& space_;
  const OnnxOptions& options_;
  OnnxWriter writer_;
  std::map<std::string, std::string> features_;
  std::vector<std::string> values_;                      // by node
  std::vector<std::vector<std::string>> branch_values_;  // by node: of routed values, by branch
  std::vector<std::vector<std::string>> branch_rows_;    // by node: of routes, by branch
  std::map<int, std::string> bag_weights_;               // by node of ids
  std::string row_count_, row_task_;
};

}  // namespace

std::string export_onnx(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
                        const OnnxOptions& options, const Encoder* encoder) {
  return Exporter(graph, store, space, options, encoder).run();
}

}  // namespace gatewise
