"""Training, keeping and looking into models."""

import copy
import html
import os
import pickle
import signal
import threading
import time
import warnings

import numpy
import pandas
import pytest
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

import gatewise
from gatewise import Error, MultiTask, MultiTaskClassifier, MultiTaskRegressor
from gatewise._estimator import InterruptedWarning

FAST = {"experts": 2, "batch_rows": 64, "optimiser": {"rate": 0.01}}


def test_tasks_of_all_kinds_learn(people):
    model = MultiTask(epochs=30, **FAST).fit(people.columns, people.labels)
    kinds = {name: task["kind"] for name, task in model.configuration_["tasks"].items()}
    assert kinds == {"buy": "binary", "amount": "regression", "mood": "multiclass"}
    assert model.score(people.columns, people.labels) > 0.85
    predicted = model.predict(people.columns)
    assert list(predicted.columns) == ["buy", "amount", "mood"]
    assert numpy.mean(predicted["buy"] == (people.buy == 1)) > 0.8
    assert numpy.mean(predicted["mood"] == people.mood) > 0.8
    probabilities = model.predict_proba(people.columns)
    assert set(probabilities) == {"buy", "mood"}
    assert (predicted["buy"] == (probabilities["buy"][:, 1] > 0.5)).all()
    assert probabilities["mood"].shape == (400, 3) and numpy.allclose(probabilities["mood"].sum(axis=1), 1)
    table = model.predict_table(people.columns)
    assert list(table.columns) == ["buy", "amount", "mood:bad", "mood:fine", "mood:good"]


def test_labels_come_back_as_they_are(numbers):
    x, y = numbers
    for classes in (["no", "yes"], [False, True], [-1, 1], [0.0, 2.0], [0, 1, 2], [3, 5, 7], ["a", "b", "c"]):
        labels = numpy.array(classes)[(y[:, 0] + (y[:, 1] if len(classes) > 2 else 0))]
        model = MultiTaskClassifier(epochs=20, **FAST).fit(x, labels)
        assert model.classes_.tolist() == sorted(classes)
        assert model.predict(x).dtype == labels.dtype
        assert model.score(x, labels) > 0.75
    assert model.predict_proba(x).shape == (300, 3)


def test_scores_are_those_of_scikit_learn(numbers):
    x, y = numbers
    weights = numpy.linspace(0, 3, 300)
    classifier = MultiTaskClassifier(epochs=2, **FAST).fit(x, y[:, 0])
    assert classifier.score(x, y[:, 0], weights) == pytest.approx(
        accuracy_score(y[:, 0], classifier.predict(x), sample_weight=weights))
    regressor = MultiTaskRegressor(epochs=2, **FAST).fit(x, x[:, :2])
    assert regressor.score(x, x[:, :2], weights) == pytest.approx(
        r2_score(x[:, :2], regressor.predict(x), sample_weight=weights))


def test_metrics_are_weighed(numbers):
    x, y = numbers
    weights = numpy.linspace(0, 3, 300)
    plain = MultiTask(epochs=2, **FAST).fit(x, y)
    heavy = MultiTask(epochs=2, **FAST).fit(x, y, sample_weight=weights)
    for model in (plain, heavy):
        expected = [roc_auc_score(y[:, task], model.predict_proba(x)[f"y{task}"][:, 1], sample_weight=weights)
                    for task in range(2)]
        assert model.score(x, y, weights) == pytest.approx(numpy.mean(expected), abs=1e-6)
        assert model.score(x, y) != pytest.approx(numpy.mean(expected), abs=1e-6)
        only = model.evaluate(x, y, {"y1": weights}, metrics=["auc"], resamples=0)["value"]
        assert only[1] == pytest.approx(expected[1], abs=1e-6) and only[0] != pytest.approx(expected[0], abs=1e-6)
    with pytest.raises(Error, match="row 2: column \"sample_weight\": the weight is -1"):
        plain.score(x, y, [1, -1] * 150)


def test_names_of_tasks_and_several_tasks(numbers):
    x, y = numbers
    model = MultiTaskClassifier(epochs=10, **FAST).fit(x, pandas.DataFrame(y, columns=["click", "buy"]))
    assert model.task_names_ == ["click", "buy"]
    assert [one.tolist() for one in model.classes_] == [[0, 1], [0, 1]]
    assert model.predict(x).shape == (300, 2)
    assert [one.shape for one in model.predict_proba(x)] == [(300, 2), (300, 2)]
    regressor = MultiTaskRegressor(epochs=40, **FAST).fit(x, x[:, :2] * [1, 100])
    assert regressor.predict(x).shape == (300, 2)
    assert regressor.score(x, x[:, :2] * [1, 100]) > 0.9


def test_missing_labels_train_nothing(numbers):
    x, y = numbers
    labels = y.astype(float)
    labels[100:, 1] = numpy.nan
    model = MultiTaskClassifier(epochs=20, **FAST).fit(x, labels)
    scores = [1 - abs(model.predict(x[100:])[:, 1] - y[100:, 1]).mean()]
    assert scores[0] > 0.75
    known = MultiTaskClassifier(epochs=1, **FAST).fit(x, labels).predict_table(x).to_numpy()
    labels[100:, 1] = 1
    assert not numpy.array_equal(MultiTaskClassifier(epochs=1, **FAST).fit(x, labels).predict_table(x).to_numpy(), known)


def test_weights_count(numbers):
    x, _ = numbers
    y = numpy.r_[numpy.zeros(150), numpy.ones(150)]
    weights = numpy.where(y == 1, 9.0, 1.0)
    noise = numpy.zeros((300, 1)) + numpy.arange(300)[:, None] % 7
    plain = MultiTaskClassifier(epochs=30, **FAST).fit(noise, y).predict_proba(noise)[:, 1].mean()
    heavy = MultiTaskClassifier(epochs=30, **FAST).fit(noise, y, sample_weight=weights).predict_proba(noise)[:, 1].mean()
    assert abs(plain - 0.5) < 0.1 and abs(heavy - 0.9) < 0.1
    both = numpy.column_stack([y, 1 - y])
    model = MultiTaskClassifier(epochs=30, **FAST).fit(noise, both, sample_weight={"y0": weights})
    first, second = (one[:, 1].mean() for one in model.predict_proba(noise))
    assert abs(first - 0.9) < 0.1 and abs(second - 0.5) < 0.1
    with pytest.raises(ValueError, match="got weights of \\['z'\\]"):
        MultiTaskClassifier(epochs=1).fit(noise, both, sample_weight={"z": weights})


def test_validation_rows_stop_early_and_keep_the_best(numbers):
    x, y = numbers
    random = numpy.random.default_rng(1).permutation(y)
    model = MultiTaskClassifier(epochs=50, stop={"patience": 2}, **FAST).fit(x, y, validation=(x[:100], random[:100]))
    assert model.history_["stopped_by"] == "patience" and len(model.history_["epochs"]) < 50
    assert model.metrics_["validation"]["rows"] == 100
    split = {"kind": "fraction", "fractions": {"train": 0.7, "validation": 0.2, "test": 0.1}}
    model = MultiTaskClassifier(epochs=1, split=split, **FAST).fit(x, y)
    assert set(model.metrics_) == {"validation", "test"}


def test_callbacks_see_epochs_and_end_training(numbers):
    x, y = numbers
    records = []
    model = MultiTaskClassifier(epochs=9, **FAST).fit(x, y, callbacks=lambda record: records.append(record) or len(records) == 3)
    assert [record["epoch"] for record in records] == [1, 2, 3]
    assert model.history_["stopped_by"] == "caller" and len(model.history_["epochs"]) == 3
    assert records[2]["loss"] < records[0]["loss"]


def test_an_exception_of_a_callback_is_raised(numbers):
    def fail(record):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        MultiTaskClassifier(epochs=3).fit(*numbers, callbacks=[fail])


def test_progress_is_told(numbers, capfd):
    x, y = numbers
    MultiTaskClassifier(epochs=2, **FAST).fit(x, y, progress=True)
    assert capfd.readouterr().err.count("epoch") == 2
    told = []
    wide = MultiTaskClassifier(epochs=1, expert={"type": "mlp", "units": [256, 256]})
    wide.fit(numpy.tile(x, (100, 1)), numpy.tile(y, (100, 1)), progress=told.append)
    assert told and set(told[0]) >= {"epoch", "step", "steps", "loss", "text"}


def interrupt_after(event):
    def interrupt():
        event.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()


@pytest.mark.parametrize("way", ["keep", "raise"])
def test_interrupting_leaves_the_best_epoch(numbers, way):
    x, y = numbers
    model = MultiTaskClassifier(epochs=100000, **FAST)
    records = []

    def watch(record):
        records.append(record)
        if len(records) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    if way == "raise":
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, callbacks=watch, on_interrupt=way)
    else:
        with pytest.warns(InterruptedWarning, match="after 5 whole epochs"):
            model.fit(x, y, callbacks=watch)
    assert model.score(x, y) > 0.7
    five = MultiTaskClassifier(epochs=5, **FAST).fit(x, y)
    assert numpy.array_equal(model.predict_proba(x)[0], five.predict_proba(x)[0])


def test_interrupting_within_an_epoch(numbers):
    x, y = numbers
    x, y = numpy.tile(x, (100, 1)), numpy.tile(y, (100, 1))
    settings = {"experts": 2, "expert": {"type": "mlp", "units": [128, 128]}}
    is_training = threading.Event()
    interrupt_after(is_training)
    with pytest.warns(InterruptedWarning):
        model = MultiTaskClassifier(epochs=100, **settings).fit(x, y, callbacks=lambda record: is_training.set())
    assert model.history_["stopped_by"] in ("request", "caller")  # within an epoch, or just at its end
    epochs = len(model.history_["epochs"])
    if epochs > 0:  # that of the last whole one
        whole = MultiTaskClassifier(epochs=epochs, **settings).fit(x, y)
        assert numpy.array_equal(model.predict_proba(x[:99])[0], whole.predict_proba(x[:99])[0])
    assert model.predict(x[:5]).shape == (5, 2)


def test_going_on_from_a_fitted_model(numbers):
    x, y = numbers
    first = MultiTask(epochs=10, **FAST).fit(x, {"click": y[:, 0]})
    again = MultiTask(epochs=1, **FAST).fit(x, {"click": y[:, 0], "buy": y[:, 1]}, start=first)
    assert again.task_names_ == ["click", "buy"]
    fresh = MultiTask(epochs=1, **FAST).fit(x, {"click": y[:, 0], "buy": y[:, 1]})
    assert again.history_["epochs"][0]["losses"]["click"] < fresh.history_["epochs"][0]["losses"]["click"]


@pytest.mark.parametrize("kind", [MultiTask, MultiTaskClassifier, MultiTaskRegressor])
def test_saved_pickled_and_copied_models_give_the_same_bits(tmp_path, numbers, kind):
    x, y = numbers
    labels = numpy.array(["no", "yes"])[y] if kind is MultiTaskClassifier else y
    model = kind(epochs=2, gate={"type": "top_k", "k": 1}, **FAST).fit(x, labels)
    expected = model.predict_table(x).to_numpy()
    assert model.save(tmp_path / "model") is model
    loaded = [kind.load(tmp_path / "model"), gatewise.load(str(tmp_path / "model")), pickle.loads(pickle.dumps(model)),
              copy.deepcopy(model)]
    for same in loaded:
        assert type(same) is kind
        assert numpy.array_equal(same.predict_table(x).to_numpy(), expected)
        assert numpy.array_equal(same.predict(x), model.predict(x))
        assert same.get_params()["gate__k"] == 1 and same.epochs == 2
        assert same.evaluate(x, labels).equals(model.evaluate(x, labels))
    loaded[1].set_params(epochs=1).fit(x, labels)
    with pytest.raises(Error, match="does not exist|no such|there is no"):
        gatewise.load(tmp_path / "nothing")


def test_models_train_and_score_in_threads(numbers):
    x, y = numbers
    expected = [MultiTaskClassifier(epochs=3, seed=seed, **FAST).fit(x, y).predict_proba(x)[0] for seed in range(4)]
    found = [None] * 4

    def work(seed):
        model = MultiTaskClassifier(epochs=3, seed=seed, **FAST).fit(x, y)
        found[seed] = [model.predict_proba(x)[0] for _ in range(5)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        assert all(numpy.array_equal(one, expected[seed]) for one in found[seed])
    shared = MultiTaskClassifier(epochs=3, seed=0, **FAST).fit(x, y)
    threads = [threading.Thread(target=lambda place=place: found.__setitem__(place, shared.predict_proba(x)[0]))
               for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(numpy.array_equal(one, expected[0]) for one in found)


def test_the_interpreter_runs_while_a_model_trains(numbers):
    x, y = numbers
    x, y = numpy.tile(x, (100, 1)), numpy.tile(y, (100, 1))
    model = MultiTaskClassifier(epochs=2, experts=8)
    calls, counted = [], []

    def count():
        while not calls:
            time.sleep(0)
        while len(calls) < 2:
            counted.append(len(calls))
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    model.fit(x, y, callbacks=lambda record: calls.append(record["epoch"]))
    thread.join()
    # Between the two callbacks this process runs the core alone: the other thread can only have counted without the lock.
    assert len(counted) > 20


def test_diagnosis_as_tables(people):
    model = MultiTask(epochs=3, **FAST).fit(people.columns, people.labels)
    found = model.diagnose(people.columns, people.labels, by="city", resamples=20)
    assert list(found.tasks["task"]) == ["buy", "amount", "mood"]
    assert len(found.experts) == 2 and len(found.gates) == 6
    assert numpy.allclose(found.gates.groupby("gate")["weight"].sum(), 1)
    assert set(found.columns["column"]) >= {"age", "city"}
    assert found.result["levels"][0]["slices_by"] == "city"
    assert "verdicts" in repr(found) and "buy" in str(found)
    assert "<iframe" in found._repr_html_()
    single = model.diagnose(people.columns, people.labels, train=(people.columns, people.labels), resamples=20)
    assert list(single.sharing["task"]) == ["buy", "amount", "mood"]
    with pytest.raises(Error, match="diagnosis.zero_share"):
        model.diagnose(people.columns, people.labels, zero_share=-1)


def test_reports_are_pages(tmp_path, numbers):
    model = MultiTaskClassifier(epochs=1).fit(*numbers)
    report = model.report().save(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!") and "MultiTaskClassifier" in page and "echarts" in page
    inline = report._repr_html_()
    assert inline.startswith("<iframe srcdoc=") and html.unescape(inline).count(page) == 1
    assert inline.count('"') == 6  # the page cannot leave its attribute


def test_evaluation_as_a_table(people):
    model = MultiTask(epochs=3, **FAST).fit(people.columns, people.labels)
    table = model.evaluate(people.columns, people.labels, metrics=["auc", "r2"], resamples=10)
    assert table[["task", "metric"]].values.tolist() == [["buy", "auc"], ["amount", "r2"], ["mood", "auc"]]
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()


def test_columns_that_are_left_out_are_warned_of():
    x = {"name": [f"person {row}" for row in range(100)], "a": numpy.arange(100.0)}
    with pytest.warns(UserWarning, match="column \"name\": nearly every row has its own value"):
        MultiTask(epochs=1).fit(x, {"y": numpy.arange(100) % 2})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MultiTask(epochs=1, columns={"name": "ignore"}).fit(x, {"y": numpy.arange(100) % 2})


def test_rows_of_one_task(numbers):
    x, y = numbers
    table = {"a": x[:, 0], "b": x[:, 1], "domain": numpy.where(numpy.arange(300) % 2, "north", "south")}
    model = MultiTask(epochs=20, columns={"domain": "task"}, tasks={"*": {"column": "click"}}, **FAST).fit(
        table, {"click": y[:, 0]})
    assert list(model.predict_table(table).columns) == ["prediction"]
    assert numpy.mean((model.predict_table(table)["prediction"] > 0.5) == y[:, 0]) > 0.85
