// The report of a comparison.
#pragma once

#include "report/report.h"

namespace gatewise {

// `compared` as "gatewise compare --json" prints it (docs/experiments.md).
Report compare_report(const Json& compared);

// How many values fall into each of `bins` bins of equal width between the least and the greatest of all
// groups: the distribution of a metric over seeds, as the MMoE paper's Figure 5 shows it (Ma et al. 2018).
// `values`: group -> its values. Columns group, from, to, `counted`; the bins are the same for all groups.
DataTable distribution(const std::vector<std::pair<std::string, std::vector<double>>>& values, int bins,
                       const std::string& group, const std::string& counted);

}  // namespace gatewise
