// Settings of training for tables that are small beside what the defaults are made for.
#include <algorithm>
#include <bit>

#include "features/propose.h"

namespace gatewise {
namespace {

// Below this many rows the default batch leaves an epoch fewer steps than it takes to learn anything.
constexpr int64_t steps_per_epoch = 128;
constexpr int64_t smallest_batch = 32, default_batch = 1024;
constexpr int64_t wanted_steps = 2500, fewest_epochs = 10, most_epochs = 100;
constexpr int64_t epochs_per_patience = 5, default_patience = 3;

}  // namespace

Json propose_training(int64_t rows) {
  if (rows >= steps_per_epoch * default_batch) return Json::object();
  const auto share = static_cast<uint64_t>(std::max<int64_t>(rows / steps_per_epoch, 1));
  const int64_t batch = std::max(static_cast<int64_t>(std::bit_floor(share)), smallest_batch);
  const int64_t steps = std::max<int64_t>((rows + batch - 1) / batch, 1);
  const int64_t epochs = std::clamp((wanted_steps + steps - 1) / steps, fewest_epochs, most_epochs);
  Json training{{"batch_rows", batch}, {"epochs", epochs}};
  if (epochs / epochs_per_patience > default_patience)
    training["stop"] = {{"patience", epochs / epochs_per_patience}};
  return training;
}

}  // namespace gatewise
