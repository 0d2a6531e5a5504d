// Training as it goes by: one line that is rewritten, and one line per epoch.
#pragma once

#include <string>

#include "training/trainer.h"

namespace gatewise {

// "epoch 3/10  step 120/195  62 %  loss 0.1834  1.24 million rows/s  12 s left", cut to `width` characters.
std::string progress_text(const Progress& progress, int width = 0);

// An entry of history["epochs"] as one line: epoch, loss per task, validation metrics, rate.
std::string epoch_text(const Json& record);

}  // namespace gatewise
