// Student's t distribution, by the incomplete beta function.
#pragma once

namespace gatewise {

// `degrees` of freedom, at least 1.
double student_t_two_sided(double t, double degrees);          // P(|T| >= |t|)
double student_t_quantile(double confidence, double degrees);  // t with P(|T| <= t) = confidence

}  // namespace gatewise
