// The rules one by one; each adds what it finds.
#pragma once

#include "diagnosis/judge.h"

namespace gatewise {

void find_collapse(const Observation& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_degradation(const Observation& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_underfitting(const Observation& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_polarisation(const Observation& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_unused(const Observation& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_conflict(const Observation& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_silent_failure(const Background& background, std::vector<Verdict>& verdicts);

}  // namespace gatewise
