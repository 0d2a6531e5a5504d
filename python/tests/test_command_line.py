"""One model, two ways: the command line and the package give the same bits."""

import csv
import subprocess

import numpy
import pandas
import pytest
from sklearn.metrics import r2_score

import gatewise
from gatewise import MultiTask, MultiTaskClassifier, MultiTaskRegressor


def text_of(value):
    if isinstance(value, list):
        return "|".join(str(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def write_csv(path, columns):
    lines = [",".join(columns)]
    lines += [",".join(text_of(value) for value in row) for row in zip(*columns.values())]
    path.write_text("\n".join(lines) + "\n")


def run(program, folder, *arguments):
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(path):
    return pandas.read_csv(path, dtype=numpy.float32).to_numpy()


def assert_same_bits(path, table):
    """Every column of the file in the type that it has in the table."""
    names, *lines = csv.reader(path.open())
    assert names == list(table.columns)
    for name, texts in zip(names, zip(*lines)):
        found = numpy.array([float(text) for text in texts]).astype(table[name].dtype)
        assert numpy.array_equal(found, table[name].to_numpy()), name


def test_a_model_of_the_package_scores_alike_in_the_command_line(program, people, tmp_path):
    model = MultiTask(epochs=3, experts=2).fit(people.columns, people.labels)
    model.save(tmp_path / "model")
    columns = {**people.columns, "member": [int(value) for value in people.columns["member"]]}
    write_csv(tmp_path / "rows.csv", columns)
    run(program, tmp_path, "predict", "model", "rows.csv", "--output", "scored.csv")
    expected = model.predict_table(people.columns)
    assert_same_bits(tmp_path / "scored.csv", expected)
    assert expected.to_numpy().std() > 0.1


def test_a_model_of_the_command_line_scores_alike_in_the_package(program, people, tmp_path):
    write_csv(tmp_path / "rows.csv", {**people.columns, **people.labels})
    run(program, tmp_path, "fit", "rows.csv", "--labels", "buy,amount,mood", "--output", "model", "--quiet",
        "--training.epochs", "3", "--columns.seen", "{role = \"bag\"}", "--columns.tags", "{role = \"bag\", type = \"text\"}",
        "--columns.place", "{role = \"vector\"}")
    run(program, tmp_path, "predict", "model", "rows.csv", "--output", "scored.csv")
    model = gatewise.load(tmp_path / "model")
    assert isinstance(model, MultiTask)
    assert_same_bits(tmp_path / "scored.csv", model.predict_table(people.columns))


def test_values_far_from_zero_keep_their_digits(program, served, tmp_path):
    random = numpy.random.default_rng(3)
    x = random.normal(size=(1000, 2))
    y = 1.7e9 + 30 * x[:, 0] + 10 * x[:, 1] + 3 * random.normal(size=1000)
    model = MultiTaskRegressor(epochs=20, batch_rows=32, optimiser={"rate": 0.01}).fit(x, y)
    model.save(tmp_path / "model")
    expected = model.predict(x)
    assert expected.dtype == numpy.float64 and r2_score(y, expected) > 0.95
    assert model.score(x, y) == pytest.approx(r2_score(y, expected))
    assert model.evaluate(x, y, metrics=["r2"], resamples=0)["value"][0] == pytest.approx(r2_score(y, expected), abs=1e-6)
    write_csv(tmp_path / "rows.csv", {"x0": x[:, 0].tolist(), "x1": x[:, 1].tolist()})
    run(program, tmp_path, "predict", "model", "rows.csv", "--output", "scored.csv")
    assert_same_bits(tmp_path / "scored.csv", model.predict_table(x))
    answers = served(str(tmp_path / "model"), [{"x0": a, "x1": b} for a, b in x[:50].tolist()])
    assert [answer["y"] for answer in answers] == expected[:50].tolist()


def test_training_in_the_package_is_training_in_the_command_line(program, tmp_path, numbers):
    x, y = numbers
    columns = {f"x{place}": x[:, place] for place in range(4)}
    write_csv(tmp_path / "rows.csv", {**columns, "y0": y[:, 0], "y1": y[:, 1]})
    run(program, tmp_path, "fit", "rows.csv", "--labels", "y0,y1", "--output", "model", "--quiet", "--training.epochs", "2",
        *[word for place in range(4) for word in (f"--columns.x{place}", "numeric")], "--split.kind", "files")
    run(program, tmp_path, "predict", "model", "rows.csv", "--output", "scored.csv")
    model = MultiTaskClassifier(epochs=2).fit(x, y)
    assert numpy.array_equal(read(tmp_path / "scored.csv"), model.predict_table(x).to_numpy())
    again = MultiTaskClassifier.load(tmp_path / "model")
    assert numpy.array_equal(again.predict(x), model.predict(x))
    assert [one.tolist() for one in again.classes_] == [[0, 1], [0, 1]]


def test_truth_values_and_floats_as_categories_are_alike_in_files_and_frames(program, tmp_path):
    random = numpy.random.default_rng(6)
    frame = pandas.DataFrame({"price": random.choice([0.1, 0.7, 3.3], 300).astype(numpy.float32),
                              "member": random.random(300) < 0.5, "z": random.normal(size=300)})
    labelled = frame.assign(y=((frame["price"] < 0.5) == frame["member"]).astype(int))
    frame.to_csv(tmp_path / "rows.csv", index=False)
    labelled.to_csv(tmp_path / "labelled.csv", index=False)
    columns = {"price": "categorical", "member": "categorical"}
    MultiTask(epochs=3, columns=columns).fit(frame, labelled[["y"]]).save(tmp_path / "of_frames")
    run(program, tmp_path, "fit", "labelled.csv", "--labels", "y", "--output", "of_files", "--quiet", "--training.epochs", "3",
        "--columns.price", "categorical", "--columns.member", "categorical", "--columns.z", "numeric")
    for name in ("of_frames", "of_files"):
        run(program, tmp_path, "predict", name, "rows.csv", "--output", "scored.csv")
        model = gatewise.load(tmp_path / name)
        for same in (frame, {column: list(frame[column].to_numpy()) for column in frame}):
            assert numpy.array_equal(read(tmp_path / "scored.csv"), model.predict_table(same).to_numpy())
        for column in columns:
            changed = model.predict_table(frame.assign(**{column: numpy.roll(frame[column], 1)})).to_numpy()
            assert not numpy.array_equal(changed, model.predict_table(frame).to_numpy())


def test_whole_floats_as_categories_are_alike_in_files_and_frames(program, tmp_path):
    random = numpy.random.default_rng(4)
    codes = random.choice([1.0, 2.0, 3.0, numpy.nan], 300)
    frame = pandas.DataFrame({"code": codes, "z": random.normal(size=300)})
    labelled = frame.assign(y=(codes == 1).astype(int))
    frame.to_csv(tmp_path / "rows.csv", index=False)
    labelled.to_csv(tmp_path / "labelled.csv", index=False)
    MultiTask(epochs=3, columns={"code": "categorical"}).fit(frame, labelled[["y"]]).save(tmp_path / "of_frames")
    run(program, tmp_path, "fit", "labelled.csv", "--labels", "y", "--output", "of_files", "--quiet", "--training.epochs", "3",
        "--columns.code", "categorical", "--columns.z", "numeric")
    for name in ("of_frames", "of_files"):
        run(program, tmp_path, "predict", name, "rows.csv", "--output", "scored.csv")
        model = gatewise.load(tmp_path / name)
        assert numpy.array_equal(read(tmp_path / "scored.csv"), model.predict_table(frame).to_numpy())
        changed = model.predict_table(frame.assign(code=numpy.roll(codes, 1))).to_numpy()
        assert not numpy.array_equal(changed, model.predict_table(frame).to_numpy())
