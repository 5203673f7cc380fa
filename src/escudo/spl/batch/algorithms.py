"""The algorithms of ``fit``, as rows of a table: what each is in scikit-learn, its options and what
it adds to the rows, in the terms of the Machine Learning Toolkit's manual (Algorithms).

``DensityFunction`` is not here; it is no algorithm of scikit-learn (``batch.density``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from escudo.spl.syntax.options import (
    BOOLEAN,
    NUMBER,
    TEXT,
    OptionType,
    choice_type,
    integer_type,
)


class Kind(StrEnum):
    """What an algorithm does with the rows, and so which fields it adds."""

    CLASSIFIER = "classifier"
    """Predicts a category: ``predicted(field)``."""
    REGRESSOR = "regressor"
    """Predicts a number: ``predicted(field)``."""
    CLUSTER = "cluster"
    """Groups rows: ``cluster``."""
    OUTLIER = "outlier"
    """Marks rows in a field of its own."""
    COMPONENTS = "components"
    """Makes new, numbered fields: ``PC_1``."""
    SCALER = "scaler"
    """Makes a new field of each: ``SS_bytes``."""
    TEXT = "text"
    """Makes numbers of a text: ``message_tfidf_0_error``."""
    SELECTOR = "selector"
    """Keeps the fields that tell most of another one: ``fs_bytes``."""


WHOLE = integer_type()


def bounded_type(low: float, high: float) -> OptionType[float]:
    """Numbers above the first bound and up to the second."""

    def parse(text: str) -> float:
        value = NUMBER.parse(text)
        if not low < value <= high:
            raise ValueError
        return value

    return OptionType(f"a number above {low:g} and up to {high:g}", parse, NUMBER.write)


def _parse_count(text: str) -> int | float:
    return int(text) if text.isdecimal() else float(text)


def _parse_share(text: str) -> int | float | str | None:
    known = {"sqrt": "sqrt", "log2": "log2", "auto": "sqrt", "none": None}
    lower = text.lower()
    return known[lower] if lower in known else _parse_count(text)


def _parse_ngrams(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def _parse_layers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-"))


_COUNT = OptionType[int | float]("a number", _parse_count, str)
_SHARE = OptionType[int | float | str | None](
    "sqrt, log2, auto, none, a count or a share of the fields", _parse_share, str
)
_NGRAMS = OptionType[tuple[int, int]]("a range such as 1-2", _parse_ngrams, str)
_LAYERS = OptionType[tuple[int, ...]]("sizes such as 100-80", _parse_layers, str)
_WHITEN = OptionType[str | bool](
    BOOLEAN.label, lambda text: "unit-variance" if BOOLEAN.parse(text) else False, str
)


@dataclass(frozen=True)
class Option:
    """An option of ``fit``: the parameter of the estimator that it sets, and its type."""

    parameter: str
    type: OptionType[Any]


@dataclass(frozen=True)
class Algorithm:
    """One row of the table.

    ``estimator`` is the class as ``module:name``; ``fixed`` are parameters that have another
    default than in scikit-learn. ``output`` is the name of what it adds (a prefix where there are
    several). ``saved`` says whether ``into`` may keep the model, ``negated`` whether the sign of
    the estimator's marks is turned (1 is an outlier then). A model learns from at most ``most``
    rows, evenly chosen (``max_inputs`` of the toolkit).
    """

    name: str
    kind: Kind
    estimator: str
    options: Mapping[str, Option] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    output: str = ""
    saved: bool = True
    negated: bool = False
    most: int = 100_000

    @property
    def predicts(self) -> bool:
        """Whether a field goes before FROM."""
        return self.kind in (Kind.CLASSIFIER, Kind.REGRESSOR, Kind.SELECTOR)


def _options(**types: OptionType[Any] | tuple[str, OptionType[Any]]) -> dict[str, Option]:
    """Options whose parameter has their name, or the one before their type."""
    return {
        name: Option(*given) if isinstance(given, tuple) else Option(name, given)
        for name, given in types.items()
    }


_SEED: Mapping[str, Any] = {"random_state": 0}
"""Without ``random_state`` the same rows give the same model; the toolkit's would differ."""

_TREE = _options(
    random_state=WHOLE,
    max_depth=WHOLE,
    max_features=_SHARE,
    min_samples_split=WHOLE,
    max_leaf_nodes=WHOLE,
)
_FOREST = {**_TREE, **_options(n_estimators=WHOLE)}
_BOOSTING = {
    **_FOREST,
    **_options(learning_rate=NUMBER, min_weight_fraction_leaf=NUMBER, min_samples_leaf=WHOLE),
}
_PURITY = _options(criterion=choice_type(("gini", "entropy")))
_DESCENT = _options(
    fit_intercept=BOOLEAN,
    random_state=WHOLE,
    n_iter=("max_iter", WHOLE),
    l1_ratio=NUMBER,
    alpha=NUMBER,
    eta0=NUMBER,
    power_t=NUMBER,
    penalty=choice_type(("l1", "l2", "elasticnet")),
    learning_rate=choice_type(("constant", "optimal", "invscaling")),
)
_DESCENT_FIXED = {
    "learning_rate": "invscaling",
    "eta0": 0.01,
    "power_t": 0.25,
    "max_iter": 5,
    "tol": None,
    **_SEED,
}
_METRICS = choice_type(
    (
        *("cityblock", "euclidean", "l1", "l2", "manhattan", "chebyshev", "minkowski"),
        *("braycurtis", "canberra", "dice", "hamming", "jaccard", "rogerstanimoto"),
        *("russellrao", "sokalsneath", "cosine", "correlation", "sqeuclidean", "yule"),
    )
)

_ROWS: Sequence[Algorithm] = (
    # --- anomaly detection
    Algorithm(
        "LocalOutlierFactor",
        Kind.OUTLIER,
        "sklearn.neighbors:LocalOutlierFactor",
        _options(
            n_neighbors=WHOLE,
            leaf_size=WHOLE,
            p=WHOLE,
            contamination=bounded_type(0, 0.5),
            metric=_METRICS,
            algorithm=choice_type(("auto", "brute", "kd_tree", "ball_tree")),
            anomaly_score=("", BOOLEAN),
        ),
        {"contamination": 0.1},
        "is_outlier",
        saved=False,
        negated=True,
    ),
    Algorithm(
        "OneClassSVM",
        Kind.OUTLIER,
        "sklearn.svm:OneClassSVM",
        _options(
            kernel=choice_type(("linear", "rbf", "poly", "sigmoid")),
            nu=NUMBER,
            coef0=NUMBER,
            gamma=NUMBER,
            tol=NUMBER,
            degree=WHOLE,
            shrinking=BOOLEAN,
        ),
        {"gamma": "auto"},
        "isNormal",
    ),
    Algorithm(
        "IsolationForest",  # not in the toolkit itself, but in splunk/mltk-algo-contrib
        Kind.OUTLIER,
        "sklearn.ensemble:IsolationForest",
        _options(
            n_estimators=WHOLE,
            random_state=WHOLE,
            max_samples=bounded_type(0, 1),
            contamination=bounded_type(0, 0.5),
            max_features=bounded_type(0, 1),
            bootstrap=BOOLEAN,
        ),
        _SEED,
        "isOutlier",
        negated=True,
    ),
    # --- classifiers
    Algorithm(
        "BernoulliNB",
        Kind.CLASSIFIER,
        "sklearn.naive_bayes:BernoulliNB",
        _options(alpha=NUMBER, binarize=NUMBER, fit_prior=BOOLEAN),
    ),
    Algorithm(
        "DecisionTreeClassifier",
        Kind.CLASSIFIER,
        "sklearn.tree:DecisionTreeClassifier",
        {**_TREE, **_PURITY, **_options(splitter=choice_type(("best", "random")))},
        _SEED,
    ),
    Algorithm("GaussianNB", Kind.CLASSIFIER, "sklearn.naive_bayes:GaussianNB"),
    Algorithm(
        "GradientBoostingClassifier",
        Kind.CLASSIFIER,
        "sklearn.ensemble:GradientBoostingClassifier",
        {
            **_BOOSTING,
            **_options(loss=choice_type(("exponential",), {"deviance": "log_loss"})),
        },
        _SEED,
    ),
    Algorithm(
        "LogisticRegression",
        Kind.CLASSIFIER,
        "sklearn.linear_model:LogisticRegression",
        _options(fit_intercept=BOOLEAN, probabilities=("", BOOLEAN)),
        {"max_iter": 1000},
    ),
    Algorithm(
        "MLPClassifier",
        Kind.CLASSIFIER,
        "sklearn.neural_network:MLPClassifier",
        _options(
            batch_size=WHOLE,
            max_iter=WHOLE,
            random_state=WHOLE,
            hidden_layer_sizes=_LAYERS,
            activation=choice_type(("identity", "logistic", "tanh", "relu")),
            solver=choice_type(("lbfgs", "sgd", "adam")),
            learning_rate=choice_type(("constant", "invscaling", "adaptive")),
            tol=NUMBER,
            momentum=NUMBER,
        ),
        _SEED,
    ),
    Algorithm(
        "RandomForestClassifier",
        Kind.CLASSIFIER,
        "sklearn.ensemble:RandomForestClassifier",
        {**_FOREST, **_PURITY},
        _SEED,
    ),
    Algorithm(
        "SGDClassifier",
        Kind.CLASSIFIER,
        "sklearn.linear_model:SGDClassifier",
        {
            **_DESCENT,
            **_options(
                loss=choice_type(
                    ("hinge", "modified_huber", "squared_hinge", "perceptron"), {"log": "log_loss"}
                )
            ),
        },
        _DESCENT_FIXED,
    ),
    Algorithm(
        "SVM",
        Kind.CLASSIFIER,
        "sklearn.svm:SVC",
        _options(C=NUMBER, gamma=NUMBER),
        {"gamma": "auto"},
    ),
    # --- clustering
    Algorithm(
        "DBSCAN",
        Kind.CLUSTER,
        "sklearn.cluster:DBSCAN",
        _options(eps=NUMBER, min_samples=WHOLE),
        output="cluster",
        saved=False,
    ),
    Algorithm(
        "KMeans",
        Kind.CLUSTER,
        "sklearn.cluster:KMeans",
        _options(k=("n_clusters", WHOLE), random_state=WHOLE),
        {"n_init": 10, **_SEED},
        "cluster",
    ),
    Algorithm(
        "SpectralClustering",
        Kind.CLUSTER,
        "sklearn.cluster:SpectralClustering",
        _options(k=("n_clusters", WHOLE), gamma=NUMBER, random_state=WHOLE),
        _SEED,
        "cluster",
        saved=False,
        most=5_000,
    ),
    # --- feature extraction
    Algorithm(
        "FieldSelector",
        Kind.SELECTOR,
        "sklearn.feature_selection:GenericUnivariateSelect",
        _options(
            type=("", choice_type(("categorical", "numeric"))),
            mode=choice_type(("k_best", "fpr", "fdr", "fwe", "percentile")),
            param=_COUNT,
        ),
        output="fs",
    ),
    Algorithm(
        "ICA",
        Kind.COMPONENTS,
        "sklearn.decomposition:FastICA",
        _options(
            n_components=WHOLE,
            algorithm=choice_type(("parallel", "deflation")),
            whiten=_WHITEN,
            max_iter=WHOLE,
            fun=choice_type(("logcosh", "exp", "cube")),
            tol=NUMBER,
            random_state=WHOLE,
        ),
        _SEED,
        "IC",
    ),
    Algorithm(
        "KernelPCA",
        Kind.COMPONENTS,
        "sklearn.decomposition:KernelPCA",
        _options(
            degree=WHOLE,
            k=("n_components", WHOLE),
            gamma=NUMBER,
            tolerance=("tol", NUMBER),
            max_iteration=("max_iter", WHOLE),
        ),
        {"kernel": "rbf", **_SEED},
        "PC",
        most=5_000,
    ),
    Algorithm(
        "PCA",
        Kind.COMPONENTS,
        "sklearn.decomposition:PCA",
        _options(k=("n_components", WHOLE), variance=("n_components", bounded_type(0, 1))),
        _SEED,
        "PC",
    ),
    Algorithm(
        "TFIDF",
        Kind.TEXT,
        "sklearn.feature_extraction.text:TfidfVectorizer",
        _options(
            max_features=WHOLE,
            max_df=NUMBER,
            min_df=NUMBER,
            ngram_range=_NGRAMS,
            analyzer=choice_type(("word", "char", "char_wb")),
            norm=choice_type(("l1", "l2")),
            token_pattern=TEXT,
            stop_words=choice_type(("english",)),
        ),
        {"max_features": 100},
        "tfidf",
    ),
    # --- preprocessing
    Algorithm(
        "Imputer",
        Kind.SCALER,
        "sklearn.impute:SimpleImputer",
        _options(strategy=choice_type(("mean", "median", "most_frequent"))),
        output="Imputed",
    ),
    Algorithm(
        "RobustScaler",
        Kind.SCALER,
        "sklearn.preprocessing:RobustScaler",
        _options(with_centering=BOOLEAN, with_scaling=BOOLEAN),
        output="RS",
    ),
    Algorithm(
        "StandardScaler",
        Kind.SCALER,
        "sklearn.preprocessing:StandardScaler",
        _options(with_mean=BOOLEAN, with_std=BOOLEAN),
        output="SS",
    ),
    # --- regressors
    Algorithm(
        "DecisionTreeRegressor",
        Kind.REGRESSOR,
        "sklearn.tree:DecisionTreeRegressor",
        {**_TREE, **_options(splitter=choice_type(("best", "random")))},
        _SEED,
    ),
    Algorithm(
        "ElasticNet",
        Kind.REGRESSOR,
        "sklearn.linear_model:ElasticNet",
        _options(fit_intercept=BOOLEAN, alpha=NUMBER, l1_ratio=NUMBER),
    ),
    Algorithm(
        "GradientBoostingRegressor",
        Kind.REGRESSOR,
        "sklearn.ensemble:GradientBoostingRegressor",
        {
            **_BOOSTING,
            **_options(
                loss=choice_type(
                    ("huber", "quantile"), {"ls": "squared_error", "lad": "absolute_error"}
                ),
                alpha=NUMBER,
                subsample=NUMBER,
            ),
        },
        _SEED,
    ),
    Algorithm(
        "KernelRidge",
        Kind.REGRESSOR,
        "sklearn.kernel_ridge:KernelRidge",
        _options(gamma=NUMBER),
        {"kernel": "rbf"},
        most=5_000,
    ),
    Algorithm(
        "Lasso",
        Kind.REGRESSOR,
        "sklearn.linear_model:Lasso",
        _options(alpha=NUMBER),
    ),
    Algorithm(
        "LinearRegression",
        Kind.REGRESSOR,
        "sklearn.linear_model:LinearRegression",
        _options(fit_intercept=BOOLEAN),
    ),
    Algorithm(
        "RandomForestRegressor",
        Kind.REGRESSOR,
        "sklearn.ensemble:RandomForestRegressor",
        _FOREST,
        _SEED,
    ),
    Algorithm(
        "Ridge",
        Kind.REGRESSOR,
        "sklearn.linear_model:Ridge",
        _options(fit_intercept=BOOLEAN, alpha=NUMBER),
    ),
    Algorithm(
        "SGDRegressor",
        Kind.REGRESSOR,
        "sklearn.linear_model:SGDRegressor",
        _DESCENT,
        _DESCENT_FIXED,
    ),
)

ALGORITHMS: Mapping[str, Algorithm] = {row.name.lower(): row for row in _ROWS}
"""Lower-case name -> its row."""
