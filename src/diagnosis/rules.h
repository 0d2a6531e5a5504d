// The rules one by one; each adds what it finds.
#pragma once

#include "diagnosis/judge.h"

namespace gatewise {

void find_collapse(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_degradation(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_underfitting(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_polarisation(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_unused(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_conflict(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts);
void find_silent_failure(const Background& background, std::vector<Verdict>& verdicts);

}  // namespace gatewise
