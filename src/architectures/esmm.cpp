// Entire space models (Ma, Zhao, Huang, Wang, Hu, Zhu, Gai; SIGIR 2018) for chains of events such as
// exposure, click, purchase. Every task's network estimates a step given that all earlier steps happened;
// what is trained and put out is the probability that the whole chain up to it happened, which every row can
// be asked about.
#include "architectures/network_per_task.h"

namespace gatewise {
namespace {

class EntireSpace final : public Architecture {
 public:
  struct Options : NetworkOptions {
    std::vector<std::string> chain;
    void declare(OptionSet& set) {
      set.add(
          "chain", &chain,
          "tasks in the order of the events; [] means as declared. The output of a task is, for every row, "
          "the probability that its event and all before it happened; its loss is taken on all rows with "
          "a label, which must be 1 only where the earlier labels are 1 and 0 where an earlier event "
          "failed; tasks with only_where are refused, since they leave those rows out. The value "
          "\"conditional/<task>\" is the probability of the "
          "step alone, "
          "given the steps before it");
      NetworkOptions::declare(set);
    }
  };

  explicit EntireSpace(const Options& options) : options_(options), parts_(options) {}

  std::vector<int64_t> chain(const std::vector<TaskHead>& tasks) const override {
    return chain_order(options_.chain, tasks);
  }

  Heads build(const ModelInputs& inputs) const override {
    const std::vector<int64_t> order = chain(inputs.tasks);
    refuse_only_where(inputs.tasks, "esmm");
    const Heads steps = build_towers(*parts_.tower, parts_.bottoms(inputs), inputs.tasks);
    Heads heads;
    heads.of_task.resize(inputs.tasks.size());
    Var before;
    for (const int64_t task : order) {
      const Var step = steps.of_task[task];
      inputs.x.graph().name_value("conditional/" + inputs.tasks[task].name, sigmoid(step));
      before = before.is_valid() ? logit_of_both(before, step) : step;
      heads.of_task[task] = before;
    }
    return heads;
  }

 private:
  // The logit of sigmoid(a) * sigmoid(b) = a + b - log(1 + exp(a) + exp(b)), in a form that overflows
  // nowhere.
  static Var logit_of_both(Var a, Var b) { return subtract(b, softplus(subtract(softplus(b), a))); }

  Options options_;
  NetworkParts parts_;
};

const Register<Architecture, EntireSpace> esmm_registered{
    "esmm", "a chain of events, each estimated on all rows as a product of steps (Ma et al. 2018)"};

}  // namespace
}  // namespace gatewise
