"""Kept models say the same afterwards, and are data, whatever is put in their place."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from functools import partial
from importlib import import_module
from os import system

import pyarrow as pa
import pytest

from escudo.core.errors import EscudoError
from escudo.spl.batch.algorithms import ALGORITHMS, Algorithm, Kind
from escudo.spl.batch.learner import Learned, learn, use
from escudo.spl.batch.model_inside import describe_model

ROWS = pa.table(
    {
        "a": [1.0, 2.0, 3.0, 4.0, 11.0, 12.0, 13.0, 14.0, None],
        "b": ["5", "6", "5", "7", "5", "8", "5", "7", "6"],
        "colour": ["red", "red", "blue", "red", "blue", "blue", "red", "blue", "red"],
        "label": ["low"] * 4 + ["high"] * 4 + ["low"],
        "amount": [2.0, 4.0, 6.0, 8.0, 22.0, 24.0, 26.0, 28.0, 1.0],
        "message": ["net user", "cmd", "net", "cmd net", None, "user", "cmd", "net", "user"],
    }
)
SAVED = [a for a in ALGORITHMS.values() if a.saved]


def fitted(algorithm: Algorithm) -> tuple[Learned, pa.Table]:
    if algorithm.kind is Kind.TEXT:
        return learn(ROWS, algorithm, None, ["message"], {})
    if algorithm.kind is Kind.REGRESSOR:
        return learn(ROWS, algorithm, "amount", ["a", "b", "colour"], {})
    if algorithm.predicts:
        return learn(ROWS, algorithm, "label", ["a", "b", "colour"], {})
    return learn(ROWS, algorithm, None, ["a", "b"], {})


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", SAVED, ids=lambda a: a.name)
def test_a_kept_model_says_the_same(algorithm: Algorithm) -> None:
    model, out = fitted(algorithm)
    again = use(ROWS, Learned.from_bytes(model.to_bytes()))
    assert again.num_columns > ROWS.num_columns
    assert again.equals(out)


def test_what_a_model_has_not_seen() -> None:
    """A new text is none of the known ones; a field that is not there leaves rows as they are."""
    model, _ = fitted(ALGORITHMS["decisiontreeclassifier"])
    other = pa.table({"a": [12.0], "b": ["5"], "colour": ["green"]})
    assert use(other, model)["predicted(label)"].to_pylist() == ["high"]
    assert use(pa.table({"z": [1]}), model).column_names == ["z"]


def test_a_field_of_too_many_texts_is_left_out() -> None:
    table = pa.table({"id": [f"x{i}" for i in range(200)], "n": [float(i) for i in range(200)]})
    model, _ = learn(table, ALGORITHMS["standardscaler"], None, ["*"], {})
    assert model.columns == ("n",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("KMeans", ["cluster", "a", "b"]),
        ("LinearRegression", ["feature", "coefficient"]),
        ("LogisticRegression", ["feature", "coefficient", "class"]),
        ("RandomForestClassifier", ["feature", "importance"]),
        ("PCA", ["component", "explained_variance", "explained_variance_ratio", "singular_values"]),
        ("StandardScaler", ["fields", "center", "scale"]),
    ],
)
def test_summary(name: str, columns: list[str]) -> None:
    shown = describe_model(fitted(ALGORITHMS[name.lower()])[0])
    assert shown is not None
    assert shown.column_names == columns


def test_nothing_to_show_of_a_kernel() -> None:
    assert describe_model(fitted(ALGORITHMS["svm"])[0]) is None


def stored(estimator: bytes, algorithm: str = "GaussianNB") -> bytes:
    return json.dumps(
        {
            "algorithm": algorithm,
            "target": "label",
            "features": [["a", None]],
            "settings": {},
            "estimator": base64.b64encode(estimator).decode(),
        }
    ).encode()


def bayes(**settings: object) -> object:
    """An estimator. scikit-learn takes seconds to load, which collecting the tests need not wait
    for."""
    return import_module("sklearn.naive_bayes").GaussianNB(**settings)


def dump(value: object) -> bytes:
    """What skops makes of it."""
    dumped: bytes = import_module("skops.io").dumps(value)
    return dumped


BOMB = partial(system, "touch /tmp/escudo-was-here")


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"{}",
        lambda: b"\x80\x04not json",
        lambda: b'{"algorithm": "GaussianNB"}',
        lambda: stored(b"no zip"),
        lambda: stored(pickle.dumps(bayes())),
        lambda: stored(dump(BOMB)),
        lambda: stored(dump(bayes(priors=BOMB))),
        lambda: stored(dump(import_module("sklearn.tree").DecisionTreeClassifier())),
        lambda: stored(dump(bayes()), "Oracle"),
    ],
    ids=[
        "empty",
        "no model",
        "a pickle",
        "half a model",
        "no archive",
        "a pickle within",
        "a function that runs a program",
        "such a function inside an estimator",
        "another estimator",
        "an unknown algorithm",
    ],
)
def test_what_is_no_model_is_refused(make: Callable[[], bytes]) -> None:
    content = make()
    with pytest.raises(EscudoError) as error:
        Learned.from_bytes(content)
    assert error.value.code == "SPL319"
