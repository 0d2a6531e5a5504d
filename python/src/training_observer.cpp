#include "python/src/training_observer.h"

#include <nanobind/stl/string.h>

#include "python/src/json_caster.h"
#include "report/progress_text.h"

namespace nb = nanobind;

namespace gatewise {

template <class Call>
void CallingObserver::guarded(const Call& call) {
  const nb::gil_scoped_acquire lock;
  if (stops_) return;
  try {
    // Runs the handlers of signals that came meanwhile, in the main thread only: Ctrl-C raises here.
    if (PyErr_CheckSignals() != 0) nb::raise_python_error();
    call();
  } catch (nb::python_error& error) {
    failure_ = nb::borrow(error.value());
    stops_ = true;
  }
}

void CallingObserver::on_progress(const Progress& progress) {
  guarded([&] {
    if (calls_.on_progress.is_none()) return;
    const Json json{{"epoch", progress.epoch},
                    {"epochs", progress.epochs},
                    {"step", progress.step},
                    {"steps", progress.steps},
                    {"rows_per_second", progress.rows_per_second},
                    {"seconds_left", progress.seconds_left},
                    {"loss", progress.loss},
                    {"text", progress_text(progress)}};
    calls_.on_progress(object_of(json));
  });
}

void CallingObserver::on_epoch(const Json& record) {
  guarded([&] {
    if (calls_.on_epoch.is_none()) return;
    Json told = record;
    told["text"] = epoch_text(record);
    is_ended_ = nb::cast<bool>(nb::bool_(calls_.on_epoch(object_of(told))));
  });
  is_ended_ = is_ended_ || stops_;
}

void CallingObserver::on_warning(const std::string& text) {
  guarded([&] {
    if (!calls_.on_warning.is_none()) calls_.on_warning(text);
  });
}

}  // namespace gatewise
