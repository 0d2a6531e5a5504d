#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "python/src/bindings.h"
#include "python/src/json_caster.h"
#include "python/src/model.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {
namespace {

template <class Number>
nb::object predictions_of(const PythonModel& model, const Frame& frame, int threads) {
  const auto rows = static_cast<size_t>(std::max<int64_t>(frame.rows(), 0));
  const auto width = static_cast<size_t>(model.width());
  auto values = std::make_unique<Number[]>(std::max<size_t>(1, rows * width));
  {
    const nb::gil_scoped_release unlocked;
    model.predict(frame, threads, values.get());
  }
  Number* data = values.release();
  const nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<Number*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, Number, nb::ndim<2>>(data, {rows, width}, owner));
}

nb::object predict_frame(const PythonModel& model, const Frame& frame, int threads) {
  return model.is_wide() ? predictions_of<double>(model, frame, threads)
                         : predictions_of<float>(model, frame, threads);
}

}  // namespace

void bind_frame(nb::module_& module) {
  nb::class_<Frame>(
      module, "Frame",
      "Columns handed over to the core, kept as they are until it is known what each is read as.")
      .def(nb::init<std::string>(), "name"_a, "`name` stands for the table in messages.")
      .def("add_stream", &Frame::add_stream, "capsule"_a,
           "All columns of an Arrow C stream (a capsule \"arrow_array_stream\"); their memory is kept, not "
           "copied.")
      .def("add_array", &Frame::add_array, "name"_a, "array"_a,
           "A one-dimensional NumPy array: numbers, truth values, times, texts or objects.")
      .def("add_objects", &Frame::add_objects, "name"_a, "values"_a,
           "A list of texts, numbers, truth values or sequences of them; None and NaN are missing.")
      .def_prop_ro("rows", &Frame::rows, "Rows of every column; -1 while there is none.")
      .def_prop_ro("names", &Frame::names, "Names of the columns, in the order they were added.");
}

void bind_model(nb::module_& module) {
  nb::class_<PythonModel>(module, "Model", "A trained model of the core.")
      .def_static(
          "fit",
          [](const Json& configuration, const Frame& train, const Frame* validation, const PythonModel* start,
             nb::object on_epoch, nb::object on_progress, nb::object on_warning) {
            return PythonModel::fit(configuration, train, validation, start,
                                    {std::move(on_epoch), std::move(on_progress), std::move(on_warning)});
          },
          "configuration"_a, "train"_a, "validation"_a.none() = nb::none(), "start"_a.none() = nb::none(),
          "on_epoch"_a.none() = nb::none(), "on_progress"_a.none() = nb::none(),
          "on_warning"_a.none() = nb::none(),
          "Trains on a frame of features, labels and weights by a configuration in the form of a gatewise "
          "configuration file. Signals and exceptions of the calls end training; see `interruption`.")
      .def_static("load", &PythonModel::load, "directory"_a, nb::call_guard<nb::gil_scoped_release>(),
                  "Reads a model directory, of this package or of the command line.")
      .def("save", &PythonModel::save, "directory"_a, nb::call_guard<nb::gil_scoped_release>(),
           "Writes the model directory whole or not at all.")
      .def("note", &PythonModel::note, "note"_a,
           "What the estimator has to remember, saved with the history under \"python\".")
      .def("predict", &predict_frame, "frame"_a, "threads"_a = 0,
           "Predictions [rows, width], of float64 where an output is; `outputs` says what the columns are.")
      .def("evaluate", &PythonModel::evaluate, "frame"_a, "options"_a, "threads"_a, "weights"_a,
           nb::call_guard<nb::gil_scoped_release>(), "Metrics of labelled rows, as gatewise evaluate --json.")
      .def("diagnose", &PythonModel::diagnose, "frame"_a, "options"_a, "threads"_a, "weights"_a, "by"_a = "",
           "train"_a.none() = nb::none(), nb::call_guard<nb::gil_scoped_release>(),
           "What experts and gates do on labelled rows, as gatewise diagnose --json.")
      .def("parameters", &PythonModel::parameter_arrays,
           "{path: float32 array}: copies of all parameters, and of states as running moments.")
      .def("set_parameters", &PythonModel::set_parameter_arrays, "values"_a,
           "Sets those whose paths are given: all of them, or none where one does not fit.")
      .def("result", &fit_result, "name"_a, "The training run, as gatewise fit --json gives it.")
      .def_prop_ro("configuration", &PythonModel::configuration, "Every option, written out.")
      .def_prop_ro("history", &PythonModel::history, "What training reported, epoch by epoch.")
      .def_prop_ro("metrics", &PythonModel::metrics, "Metrics of the parts measured after training.")
      .def_prop_ro("outputs", &PythonModel::outputs,
                   "[{name, kind, offset, width, classes, type}]: the columns of predictions.")
      .def_prop_ro("features", &PythonModel::features, "Columns that rows to score have to have.")
      .def_prop_ro("description", &PythonModel::description, "Inputs, tasks and parameters by group.")
      .def_prop_ro("interruption", &PythonModel::interruption,
                   "The exception that ended training early, or None.");
}

}  // namespace gatewise
