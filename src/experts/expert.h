// An expert: a small network; architectures make banks of them.
#pragma once

#include "base/registry.h"
#include "experts/bank.h"

namespace gatewise {

// The experts of one bank with their parameters.
class ExpertBank {
 public:
  virtual ~ExpertBank() = default;
  // All experts for all rows: x [in] shared, or [experts, in] -> [experts, hidden].
  virtual Var dense(Var x) const = 0;
  // For every routed row the expert of its branch: routed x [in] -> routed [hidden].
  virtual Var routed(Var x, Var route) const = 0;
};

class Expert {
 public:
  virtual ~Expert() = default;
  // Throws Error(Command) where its options do not fit; `path` is their place ("model.expert").
  virtual void check(const std::string& /*path*/) const {}
  // One expert per path; `input` is the shape of what they read: [in] shared, or [experts, in]. A bank that
  // is only routed may store its weights for that; dense() then serves those who examine the model.
  virtual std::unique_ptr<ExpertBank> bank(Graph& graph, const Shape& input,
                                           const std::vector<std::string>& paths,
                                           bool is_only_routed) const = 0;
  // Whether training needs every expert on every row (batch statistics).
  virtual bool trains_dense() const { return false; }
  // The same experts cut into their layers, for architectures that exchange values between layers; an expert
  // that has no layers is one.
  virtual std::vector<std::unique_ptr<ExpertBank>> layers(Graph& graph, const Shape& input,
                                                          const std::vector<std::string>& paths) const {
    std::vector<std::unique_ptr<ExpertBank>> whole;
    whole.push_back(bank(graph, input, paths, false));
    return whole;
  }
  // For every row the expert that its id names: x [in] -> [hidden].
  virtual Var run_own(Var x, const std::vector<std::string>& paths, Var ids) const {
    return own_rows(run(x, paths), ids);
  }
  // All experts for all rows.
  Var run(Var x, const std::vector<std::string>& paths) const {
    return bank(x.graph(), x.shape(), paths, false)->dense(x);
  }
};

// Makes a plug-in from a table {type = "...", options...}; `fallback` is the type when none is given.
template <class Interface>
std::unique_ptr<Interface> make_part(const Json& table, const std::string& path,
                                     const std::string& fallback) {
  Json options = table.is_null() ? Json::object() : table;
  if (!options.is_object()) command_error("{}: got {}, expected a table of options", path, options.dump());
  std::string type = fallback;
  if (options.contains("type")) {
    if (!options["type"].is_string())
      command_error("{}.type: got {}, expected a name", path, options["type"].dump());
    type = options["type"].get<std::string>();
    options.erase("type");
  }
  const std::string kind = path.substr(path.rfind('.') == std::string::npos ? 0 : path.rfind('.') + 1);
  auto part = Registry<Interface>::instance().find(type, kind, path + ".type").make(options, path);
  if constexpr (requires { part->check(path); }) part->check(path);
  return part;
}

}  // namespace gatewise
