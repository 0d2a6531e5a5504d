/* Scores one row from C:
 *
 *   score MODEL age=39 'city=New York' ...
 *
 * Features that are not given are missing. From the root of the sources:
 *
 *   cmake --install build/release --component embed --prefix P
 *   cc -I P/include examples/embed/score.c -L P/lib -lgatewise_c -Wl,-rpath,P/lib -o score
 */
#include <gatewise/gatewise.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(void) {
  fprintf(stderr, "score: %s\n", gatewise_last_error());
  return 1;
}

/* Writes the value of "name=value" to its place in the row; 0 if the model has no such feature. */
static int set_feature(const gatewise_model* model, char* argument, gatewise_value* row) {
  char* equals = strchr(argument, '=');
  ptrdiff_t feature = -1;
  if (equals != NULL) {
    *equals = '\0';
    feature = gatewise_find_feature(model, argument);
  }
  if (feature < 0) {
    fprintf(stderr, "score: no feature \"%s\"\n", argument);
    return 0;
  }
  row[feature].kind = GATEWISE_TEXT;
  row[feature].as.text.data = equals + 1;
  row[feature].as.text.size = strlen(equals + 1);
  return 1;
}

static void print_predictions(const gatewise_model* model, const float* predictions) {
  for (size_t output = 0; output < gatewise_output_count(model); ++output) {
    const float* values = predictions + gatewise_output_offset(model, output);
    for (size_t i = 0; i < gatewise_output_width(model, output); ++i) {
      const char* class_name = gatewise_class_name(model, output, i);
      printf("%s%s%s %.6f\n", gatewise_output_name(model, output), class_name == NULL ? "" : ":",
             class_name == NULL ? "" : class_name, (double)values[i]);
    }
  }
}

int main(int count, char** arguments) {
  gatewise_model* model;
  gatewise_scorer* scorer;
  int status = 1;
  if (count < 2) {
    fprintf(stderr, "usage: score MODEL feature=value...\n");
    return 2;
  }
  if (gatewise_load(arguments[1], &model) != GATEWISE_OK) return fail();
  if (gatewise_new_scorer(model, &scorer) != GATEWISE_OK) {
    gatewise_free_model(model);
    return fail();
  }
  /* A value of all zeros is a missing one. */
  gatewise_value* row = calloc(gatewise_feature_count(model), sizeof *row);
  float* predictions = calloc(gatewise_prediction_width(model), sizeof *predictions);
  int is_complete = row != NULL && predictions != NULL;
  for (int i = 2; i < count && is_complete; ++i) is_complete = set_feature(model, arguments[i], row);
  if (is_complete) {
    if (gatewise_score_rows(scorer, 1, row, predictions) == GATEWISE_OK) {
      print_predictions(model, predictions);
      status = 0;
    } else {
      fail();
    }
  }
  free(predictions);
  free(row);
  gatewise_free_scorer(scorer);
  gatewise_free_model(model);
  return status;
}
