/* Gatewise: scoring with a saved model from C.
 *
 *   gatewise_model* model;
 *   gatewise_scorer* scorer;
 *   if (gatewise_load("model", &model) != GATEWISE_OK || gatewise_new_scorer(model, &scorer) != GATEWISE_OK)
 *     puts(gatewise_last_error());
 *   gatewise_value row[FEATURES];            one value per gatewise_feature_name()
 *   float predictions[WIDTH];                gatewise_prediction_width()
 *   gatewise_score_rows(scorer, 1, row, predictions);
 *
 * A model is immutable: any number of threads may use it. A scorer is the memory of one caller and used by
 * one thread at a time; make one per thread. Scoring takes no lock, starts no thread, and allocates only when
 * a request is larger than all before. A row's predictions are the same bits whatever other rows are in the
 * request, and those of `gatewise predict` on the same machine. They are floats, to which values of a
 * regression in original units are rounded: where the mean of a label is far larger than its spread (a time
 * in seconds), train on its distance from a fixed point.
 *
 * Functions that can fail return a gatewise_status and leave their results alone then; gatewise_last_error()
 * says what is wrong, by row, column or file. No exception leaves the library. Pointers must not be null but
 * where it says so. Texts that the library returns are UTF-8, end with a 0 byte, and live as long as the
 * model. The C++ standard library, the C library and its mathematics are all that libgatewise_c needs.
 */
#ifndef GATEWISE_GATEWISE_H
#define GATEWISE_GATEWISE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GATEWISE_API __attribute__((visibility("default")))

typedef enum gatewise_status {
  GATEWISE_OK = 0,
  GATEWISE_DATA_ERROR = 1,    /* a file, a model or a value is at fault */
  GATEWISE_USAGE_ERROR = 2,   /* the call is: a wrong count, a function that the model does not support */
  GATEWISE_INTERNAL_ERROR = 3 /* no memory, or a defect of Gatewise */
} gatewise_status;

typedef struct gatewise_model gatewise_model;
typedef struct gatewise_scorer gatewise_scorer;

/* What is wrong, of the last call on this thread that failed; "" if none did. Valid until the next one fails.
 */
GATEWISE_API const char* gatewise_last_error(void);
/* The version of the library, as "0.1.0". */
GATEWISE_API const char* gatewise_version(void);

/* Reads and checks a model directory as `gatewise fit` writes it. */
GATEWISE_API gatewise_status gatewise_load(const char* directory, gatewise_model** model);
/* Scorers of the model stay usable. Null is allowed. */
GATEWISE_API void gatewise_free_model(gatewise_model* model);
GATEWISE_API gatewise_status gatewise_new_scorer(const gatewise_model* model, gatewise_scorer** scorer);
GATEWISE_API void gatewise_free_scorer(gatewise_scorer* scorer);

/* The version of Gatewise that saved the model. */
GATEWISE_API const char* gatewise_model_version(const gatewise_model* model);

/* Outputs: one per task, or the one output "prediction" where each row belongs to one task and tasks are
 * alike. A row of predictions has gatewise_prediction_width() numbers; output i has those from its offset on.
 */
GATEWISE_API size_t gatewise_prediction_width(const gatewise_model* model);
GATEWISE_API size_t gatewise_output_count(const gatewise_model* model);
GATEWISE_API const char* gatewise_output_name(const gatewise_model* model, size_t output);
/* "binary": a probability. "multiclass": a probability for each class. "regression": a value in original
 * units. "": a model without tasks, whose outputs are given as they are. */
GATEWISE_API const char* gatewise_output_kind(const gatewise_model* model, size_t output);
GATEWISE_API size_t gatewise_output_offset(const gatewise_model* model, size_t output);
GATEWISE_API size_t gatewise_output_width(const gatewise_model* model, size_t output);
/* Of a multiclass output; null beyond its classes and for other kinds. */
GATEWISE_API const char* gatewise_class_name(const gatewise_model* model, size_t output, size_t class_index);

/* ---- Raw rows: values by feature ------------------------------------------------------------------------
 */

/* The columns that a row has values of, in this order. None in a model whose rows come encoded. */
GATEWISE_API size_t gatewise_feature_count(const gatewise_model* model);
GATEWISE_API const char* gatewise_feature_name(const gatewise_model* model, size_t feature);
/* The place of a feature; -1 if there is none of that name. */
GATEWISE_API ptrdiff_t gatewise_find_feature(const gatewise_model* model, const char* name);

typedef enum gatewise_value_kind {
  GATEWISE_MISSING = 0,
  GATEWISE_NUMBER,
  GATEWISE_ID,      /* an unsigned 64-bit id; also a number or a category */
  GATEWISE_TEXT,    /* read like a field of a CSV file: "3.5", "blue", "7|9" for a list, "" for missing */
  GATEWISE_NUMBERS, /* lists: a vector, the weights of a bag */
  GATEWISE_IDS,
  GATEWISE_TEXTS
} gatewise_value_kind;

typedef struct gatewise_text {
  const char* data;
  size_t size; /* bytes */
} gatewise_text;

/* A value of one column. The memory of texts and lists stays the caller's, until the call that reads it ends.
 */
typedef struct gatewise_value {
  int kind; /* gatewise_value_kind */
  union {
    double number; /* NaN: missing */
    uint64_t id;
    gatewise_text text;
    struct {
      const double* items;
      size_t count;
    } numbers;
    struct {
      const uint64_t* items;
      size_t count;
    } ids;
    struct {
      const gatewise_text* items;
      size_t count;
    } texts;
  } as;
} gatewise_value;

/* Scores `rows` rows: `values` [rows][features], `predictions` [rows][prediction width]. */
GATEWISE_API gatewise_status gatewise_score_rows(gatewise_scorer* scorer, size_t rows,
                                                 const gatewise_value* values, float* predictions);

/* ---- Encoded rows ---------------------------------------------------------------------------------------
 */

/* The inputs of the model's graph: "numeric", "ids/<column>", "bags/<column>", "row_task"; or those of a
 * graph of one's own. */
GATEWISE_API size_t gatewise_input_count(const gatewise_model* model);
GATEWISE_API const char* gatewise_input_name(const gatewise_model* model, size_t input);
/* Numbers per row; 0 for ids. */
GATEWISE_API size_t gatewise_input_width(const gatewise_model* model, size_t input);
/* For ids: every id is less; 0 for numbers. */
GATEWISE_API size_t gatewise_input_ids(const gatewise_model* model, size_t input);

/* Either values, [rows] rows `stride` numbers apart; or ids, one per row, `stride` apart; or, with offsets
 * [rows + 1], lists of ids: those of row r are ids[offsets[r]] to ids[offsets[r + 1]], each with a weight of
 * 1 or, if `weights` is not null, its own. */
typedef struct gatewise_input {
  const float* values;
  const uint32_t* ids;
  const int64_t* offsets;
  const float* weights;
  ptrdiff_t stride;
} gatewise_input;

/* Scores `rows` rows: `inputs` [input count], `predictions` [rows][prediction width]. */
GATEWISE_API gatewise_status gatewise_score_encoded(gatewise_scorer* scorer, size_t rows,
                                                    const gatewise_input* inputs, float* predictions);

#ifdef __cplusplus
}
#endif

#endif
