#include "experts/expert.h"
#include "training/trainer.h"

namespace gatewise {

void TrainingOptions::declare(OptionSet& set) {
  set.add("epochs", &epochs, "passes over the training rows at most").range(1);
  set.add("batch_rows", &batch_rows, "rows per step").range(1, 1 << 24).search(128, 4096, true);
  set.add("seed", &seed, "of initial weights, order of rows and dropout").range(0);
  set.add("threads", &threads, "workers; 0 means one per core; results do not depend on it").range(0, 1024);
  set.add("normaliser", &normaliser,
          "what a task's loss is divided by: the weights of its present rows in the batch, or the rows of "
          "the batch")
      .choices({"present", "batch"});
  set.add("optimiser", &optimiser, "table [training.optimiser]");
  set.add("schedule", &schedule, "table [training.schedule]");
  set.add("stop", &stop, "table [training.stop]");
  set.add("task_sampling", &task_sampling,
          "table [training.task_sampling], for rows of one task; {}: every row once an epoch");
  set.add("probes", &probes, "table [training.probes]");
  set.add("metrics", &metrics, "reported after every epoch; [] means the usual ones of each kind of task")
      .choices(Registry<Metric>::instance().names());
  set.add("checkpoint_seconds", &checkpoint_seconds,
          "least time between checkpoints; one is also written when training ends")
      .range(0);
  set.add("steps_per_epoch", &steps_per_epoch, "steps per epoch where rows are streamed").range(1);
}

void ScheduleOptions::declare(OptionSet& set) {
  set.add("kind", &kind, "how the learning rate falls").choices({"constant", "step", "cosine"});
  set.add("warm_up_steps", &warm_up_steps, "steps over which the rate rises linearly").range(0);
  set.add("warm_up_from", &warm_up_from, "share of the rate at the first step of the warm-up").range(0, 1);
  set.add("step_every", &step_every, "\"step\": steps between cuts").range(1);
  set.add("step_factor", &step_factor, "\"step\": factor of each cut").range(0, 1);
  set.add("total_steps", &total_steps, "\"cosine\": length; 0 means the whole run").range(0);
  set.add("final_factor", &final_factor, "\"cosine\": share of the rate at the end").range(0, 1);
}

double learning_rate(const ScheduleOptions& schedule, double rate, int64_t step, int64_t run_steps) {
  double factor = 1;
  if (step < schedule.warm_up_steps) {
    const double share = static_cast<double>(step) / static_cast<double>(schedule.warm_up_steps);
    factor = schedule.warm_up_from + (1 - schedule.warm_up_from) * share;
  }
  const int64_t after = std::max<int64_t>(0, step - schedule.warm_up_steps);
  if (schedule.kind == "step") {
    const int64_t cuts = after / schedule.step_every;
    factor *= std::pow(schedule.step_factor, static_cast<double>(cuts));
  } else if (schedule.kind == "cosine") {
    const int64_t total =
        schedule.total_steps > 0 ? schedule.total_steps : run_steps - schedule.warm_up_steps;
    const double share =
        std::min(1.0, static_cast<double>(after) / static_cast<double>(std::max<int64_t>(1, total)));
    factor *= schedule.final_factor + (1 - schedule.final_factor) * 0.5 * (1 + std::cos(share * M_PI));
  }
  return rate * factor;
}

void StopOptions::declare(OptionSet& set) {
  set.add("policy", &policy,
          "whose improvement counts: one task, the weighted mean of all, any task, or all tasks together")
      .choices({"one", "mean", "any", "all"});
  set.add("task", &task, "\"one\": the task that decides; empty: the first");
  set.add(
      "metric", &metric,
      "judged on validation rows; empty: auc for binary, log_loss for multiclass, r2 for regression tasks");
  set.add("patience", &patience, "epochs without improvement before stopping; 0 never stops early").range(0);
  set.add("min_change", &min_change,
          "smallest change of the metric, or of the mean, that counts as an improvement")
      .range(0);
  set.add("weights", &weights, "\"mean\": weight per task, as {income = 2}; others count 1");
}

}  // namespace gatewise
