// The operations models are composed of. Shapes are those of one row; `..` stands for any leading sizes. Each
// stands in graph/ops/<name>.cpp with its shape rule, forward pass, gradient and test cases.
#pragma once

#include "graph/graph.h"

namespace gatewise {

using kernels::Activation;

// x [.., in], weight [in, out], bias [out] or an empty Var -> [.., out].
Var linear(Var x, Var weight, Var bias, Activation activation = Activation::None);
// Groups with inputs of their own: x [groups, in], weight [groups, in, out], bias [groups, out] -> [groups,
// out].
Var grouped_linear(Var x, Var weight, Var bias, Activation activation = Activation::None);
// Product of two matrices of a row (or of two parameters): a [m, k], b [k, n] -> [m, n].
Var product(Var a, Var b);

// Over the last axis.
Var softmax(Var x);
// Entries whose mask is 0 get weight 0; all masked gives all 0. mask has the shape of x or of its last axis.
Var masked_softmax(Var x, Var mask);
// Weighted sums of experts: experts [.., experts, hidden] with weights [.., experts] -> [.., hidden], or with
// weights [.., consumers, experts] -> [.., consumers, hidden].
Var mix(Var experts, Var weights);

Var relu(Var x);
Var leaky_relu(Var x, double slope = 0.01);
Var swish(Var x);      // x * sigmoid(x)
Var gelu(Var x);       // exact, by the normal distribution function
Var gelu_tanh(Var x);  // the tanh approximation
Var tanh(Var x);
Var sigmoid(Var x);
Var elu(Var x, double alpha = 1);
Var softplus(Var x);  // log(1 + exp(x))
Var exp(Var x);
Var log(Var x);
Var sqrt(Var x);
Var square(Var x);
Var normal_cdf(Var x);
// 0 below -gamma/2, 1 above gamma/2, a cubic between (Hazimeh et al. 2021, DSelect-k).
Var smooth_step(Var x, double gamma = 1);

Var add(Var a, Var b);
Var subtract(Var a, Var b);
Var multiply(Var a, Var b);
Var divide(Var a, Var b);
// 1 where a > b, else 0; no gradient.
Var greater(Var a, Var b);
// a where condition is not 0, else b; all of one shape.
Var select(Var condition, Var a, Var b);

// Joins along `axis` (negative counts from the end); the other sizes agree.
Var concatenate(const std::vector<Var>& parts, int64_t axis = -1);
// Entries [begin, end) of an axis.
Var slice(Var x, int64_t axis, int64_t begin, int64_t end);
Var reshape(Var x, Shape shape);
// [.., m, n] -> [.., n, m].
Var transpose(Var x);
// Over one axis, which disappears.
Var sum(Var x, int64_t axis = -1);
Var mean(Var x, int64_t axis = -1);

// Over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + shift. Ba et al. 2016.
Var layer_norm(Var x, Var scale, Var shift, double epsilon = 1e-5);
// x / sqrt(mean of squares + epsilon) * scale. Zhang and Sennrich 2019.
Var rms_norm(Var x, Var scale, double epsilon = 1e-6);
// In training each element is 0 with probability `rate`, otherwise scaled by 1 / (1 - rate). `name` keys its
// stream.
Var dropout(Var x, double rate, const std::string& name);
// The value, but no gradient.
Var stop_gradient(Var x);
// Keeps the k largest of the last axis, in expert order among equals, and sets the rest to 0.
Var top_k(Var x, int64_t k);
// 1 for the k largest, 0 for the rest; no gradient.
Var top_k_mask(Var x, int64_t k);
// For every entry of the last axis the k-th largest of the other entries: what it must exceed to be among the
// k largest (Shazeer et al. 2017, load of a noisy gate).
Var best_rival(Var x, int64_t k);
// Shares of the sum over the last axis; all 0 where the sum is 0.
Var share(Var x);
// The numbers 0 .. entries - 1 in bits: [.., bits] -> [.., entries], entry i being the product over its bits,
// the most significant first, of bit j where it is 1 and 1 - bit j where it is 0 (Hazimeh et al. 2021).
Var binary_codes(Var bits, int64_t entries);
// Random numbers of the shape of `like`, drawn anew in every training step; 0 otherwise; no gradient.
// distribution: "normal" (deviation 1) or "uniform" (between -1 and 1). `name` keys the stream.
Var noise(Var like, const std::string& distribution, const std::string& name);

// Row of an embedding table [rows, width] -> [width]; bags are summed or averaged, with their weights.
enum class Pooling : uint8_t { Sum, Mean };
Var embedding(Var ids, Var table, Pooling pooling = Pooling::Sum);

// Over the rows of the batch: Static results.
Var row_mean(Var x);
Var batch_sum(Var x);
// Mean and biased variance over rows: x [width] -> [2, width].
Var moments(Var x);
// x [..] normalised by batch `moments` in training and by `running` [2, ..] otherwise. Ioffe and Szegedy
// 2015. Refuses batches of one row in training. scale and shift have the shape of x; all elements are on
// their own.
constexpr double batch_norm_epsilon = 1e-5, batch_norm_momentum = 0.1;
Var batch_norm(Var x, Var moments, Var running, Var scale, Var shift, double epsilon = batch_norm_epsilon);
// The same with the moments of x, and with running moments in a state of its own.
Var batch_norm(Var x, Var scale, Var shift, const std::string& state_path,
               double momentum = batch_norm_momentum, double epsilon = batch_norm_epsilon);
// Means 0 and variances 1.
std::vector<double> moments_before_any_batch(int64_t width);
// The state of batch_norm after a batch: (1 - momentum) running + momentum (mean, unbiased variance); both
// [2, ..].
Var running_moments(Var running, Var moments, double momentum);

// Routed rows. chosen [branches]: a row takes the branches whose entry is not 0. A Static `chosen` sends
// every row to the same branches. In training a branch takes at most `capacity_factor` times its even share
// of all pairs (at least 4), in the order in which the batch drew its rows; 0: no limit.
Var route(Var chosen, double capacity_factor = 0);
// x of the row, once per routed row.
Var gather(Var x, Var route);
// x [branches, ..] of the row: the slice of the routed row's branch -> routed [..].
Var gather_own(Var x, Var route);
// Routed x [in] times its branch's weight [branches, in, out] plus its bias [branches, out].
Var routed_linear(Var x, Var weight, Var bias, Activation activation = Activation::None);
// The same with the weights of all branches side by side: [in, branches * out], bias [branches * out].
Var routed_linear_side_by_side(Var x, Var weight, Var bias, Activation activation, int64_t branches);
// The slice of its branch for every routed row: Static [branches, ..] -> routed [..].
Var branch_rows(Var slices, Var route);
// One value computed in two ways, of which only one runs: over all experts or over routed rows.
Var alternative(Var dense, Var routed, bool routes_training, bool routes_scoring);
// Routed values [hidden], weights [branches] or [consumers, branches] of the row -> the row's weighted sum
// over the branches it took: [hidden] or [consumers, hidden].
Var combine(Var routed, Var weights, Var route);

// Rows that name a slice each by an id below the number of slices: slices [n, ..] of the row or Static ->
// [..].
Var own_rows(Var slices, Var ids);
// x [in] times the block of the weight [n, in, out] that the id names, plus that of the bias [n, out] ->
// [out].
Var own_linear(Var x, Var weight, Var bias, Var ids, Activation activation = Activation::None);

// -log softmax(logits)[label]: logits [classes], label a class index as a number -> [].
Var softmax_cross_entropy(Var logits, Var label);

}  // namespace gatewise
