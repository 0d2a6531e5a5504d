#include "training/idle_options.h"

#include "base/error.h"

namespace gatewise {
namespace {

// Compares the options of one table with their defaults.
template <class Options>
class IdleOptions {
 public:
  IdleOptions(const Options& given, std::string table)
      : given_(write_options(given)), defaults_(write_options(Options())), table_(std::move(table)) {}

  // `reader` says what reads the options.
  void check(bool is_read, std::initializer_list<const char*> names, const std::string& reader) {
    for (const char* name : names) {
      if (is_read || given_.at(name) == defaults_.at(name)) continue;
      lines_.push_back(fmt::format("{}.{}: {} has no effect; only {} reads it", table_, name,
                                   given_.at(name).dump(), reader));
    }
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  Json given_, defaults_;
  std::string table_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> find_idle_options(const TrainingOptions& options) {
  const auto optimiser = read_options<OptimiserOptions>(options.optimiser, "training.optimiser");
  const auto schedule = read_options<ScheduleOptions>(options.schedule, "training.schedule");
  const bool is_sgd = optimiser.kind == "sgd";
  const bool is_adam = optimiser.kind == "adam" || optimiser.kind == "adamw";
  IdleOptions update(optimiser, "training.optimiser");
  update.check(is_sgd, {"momentum"}, "kind = \"sgd\"");
  update.check(is_sgd && optimiser.momentum > 0, {"nesterov"}, "kind = \"sgd\" with momentum");
  update.check(is_adam, {"beta1", "beta2"}, "kind = \"adam\" or \"adamw\"");
  update.check(!is_sgd, {"epsilon"}, "a kind other than \"sgd\"");
  IdleOptions rate(schedule, "training.schedule");
  rate.check(schedule.kind == "step", {"step_every", "step_factor"}, "kind = \"step\"");
  rate.check(schedule.kind == "cosine", {"total_steps", "final_factor"}, "kind = \"cosine\"");
  rate.check(schedule.warm_up_steps > 0, {"warm_up_from"}, "a warm-up (warm_up_steps)");
  std::vector<std::string> lines = update.lines();
  lines.insert(lines.end(), rate.lines().begin(), rate.lines().end());
  return lines;
}

}  // namespace gatewise
