"""The algorithms of ``fit``, as rows of a table: what each is in scikit-learn, its options and what
it adds to the rows, in the terms of the Machine Learning Toolkit's manual (Algorithms).

``DensityFunction`` is not here; it is no algorithm of scikit-learn (``batch.density``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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


Reader = Callable[[str], Any]
"""Option's text -> value. Raises ``ValueError`` with what it takes."""


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a number") from None


def boolean(text: str) -> bool:
    lower = text.lower()
    if lower in ("t", "true", "1", "yes", "y"):
        return True
    if lower in ("f", "false", "0", "no", "n"):
        return False
    raise ValueError("true or false")


def among(*words: str) -> Reader:
    """A reader of one of some words, without regard to case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return text.lower()

    return read


def renamed(**words: str) -> Reader:
    """A reader of one of some words, which scikit-learn calls otherwise."""
    read = among(*words)
    return lambda text: words[read(text)]


def within(low: float, high: float) -> Reader:
    """A reader of a number above the first bound and up to the second."""

    def read(text: str) -> float:
        value = number(text)
        if not low < value <= high:
            raise ValueError(f"a number above {low:g} and up to {high:g}")
        return value

    return read


def share_or_count(text: str) -> int | float | str | None:
    """``max_features``: a word, a count, or a share of the fields."""
    lower = text.lower()
    if lower in ("sqrt", "log2"):
        return lower
    if lower in ("auto", "none"):
        return "sqrt" if lower == "auto" else None
    try:
        return int(text)
    except ValueError:
        return number(text)


def ngrams(text: str) -> tuple[int, int]:
    """``1-2``: single words and pairs."""
    low, _, high = text.partition("-")
    try:
        return int(low), int(high or low)
    except ValueError:
        raise ValueError("a range such as 1-2") from None


def layers(text: str) -> tuple[int, ...]:
    """``100-80``: the sizes of the hidden layers."""
    try:
        return tuple(int(part) for part in text.split("-"))
    except ValueError:
        raise ValueError("sizes such as 100-80") from None


@dataclass(frozen=True)
class Option:
    """An option of ``fit``: the parameter of the estimator that it sets, and how it is read."""

    parameter: str
    read: Reader


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


def _options(**readers: Reader | tuple[str, Reader]) -> dict[str, Option]:
    return {
        name: Option(*given) if isinstance(given, tuple) else Option(name, given)
        for name, given in readers.items()
    }


_SEED: Mapping[str, Any] = {"random_state": 0}
"""Without ``random_state`` the same rows give the same model; the toolkit's would differ."""

_TREE = _options(
    random_state=whole,
    max_depth=whole,
    max_features=share_or_count,
    min_samples_split=whole,
    max_leaf_nodes=whole,
)
_FOREST = {**_TREE, **_options(n_estimators=whole)}
_BOOSTING = {
    **_FOREST,
    **_options(learning_rate=number, min_weight_fraction_leaf=number, min_samples_leaf=whole),
}
_PURITY = _options(criterion=among("gini", "entropy"))
_DESCENT = _options(
    fit_intercept=boolean,
    random_state=whole,
    n_iter=("max_iter", whole),
    l1_ratio=number,
    alpha=number,
    eta0=number,
    power_t=number,
    penalty=among("l1", "l2", "elasticnet"),
    learning_rate=among("constant", "optimal", "invscaling"),
)
_DESCENT_FIXED = {
    "learning_rate": "invscaling",
    "eta0": 0.01,
    "power_t": 0.25,
    "max_iter": 5,
    "tol": None,
    **_SEED,
}
_METRICS = among(
    *("cityblock", "euclidean", "l1", "l2", "manhattan", "chebyshev", "minkowski"),
    *("braycurtis", "canberra", "dice", "hamming", "jaccard", "rogerstanimoto"),
    *("russellrao", "sokalsneath", "cosine", "correlation", "sqeuclidean", "yule"),
)

_ROWS: Sequence[Algorithm] = (
    # --- anomaly detection
    Algorithm(
        "LocalOutlierFactor",
        Kind.OUTLIER,
        "sklearn.neighbors:LocalOutlierFactor",
        _options(
            n_neighbors=whole,
            leaf_size=whole,
            p=whole,
            contamination=within(0, 0.5),
            metric=_METRICS,
            algorithm=among("auto", "brute", "kd_tree", "ball_tree"),
            anomaly_score=("", boolean),
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
            kernel=among("linear", "rbf", "poly", "sigmoid"),
            nu=number,
            coef0=number,
            gamma=number,
            tol=number,
            degree=whole,
            shrinking=boolean,
        ),
        {"gamma": "auto"},
        "isNormal",
    ),
    Algorithm(
        "IsolationForest",  # not in the toolkit itself, but in splunk/mltk-algo-contrib
        Kind.OUTLIER,
        "sklearn.ensemble:IsolationForest",
        _options(
            n_estimators=whole,
            random_state=whole,
            max_samples=within(0, 1),
            contamination=within(0, 0.5),
            max_features=within(0, 1),
            bootstrap=boolean,
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
        _options(alpha=number, binarize=number, fit_prior=boolean),
    ),
    Algorithm(
        "DecisionTreeClassifier",
        Kind.CLASSIFIER,
        "sklearn.tree:DecisionTreeClassifier",
        {**_TREE, **_PURITY, **_options(splitter=among("best", "random"))},
        _SEED,
    ),
    Algorithm("GaussianNB", Kind.CLASSIFIER, "sklearn.naive_bayes:GaussianNB"),
    Algorithm(
        "GradientBoostingClassifier",
        Kind.CLASSIFIER,
        "sklearn.ensemble:GradientBoostingClassifier",
        {**_BOOSTING, **_options(loss=renamed(deviance="log_loss", exponential="exponential"))},
        _SEED,
    ),
    Algorithm(
        "LogisticRegression",
        Kind.CLASSIFIER,
        "sklearn.linear_model:LogisticRegression",
        _options(fit_intercept=boolean, probabilities=("", boolean)),
        {"max_iter": 1000},
    ),
    Algorithm(
        "MLPClassifier",
        Kind.CLASSIFIER,
        "sklearn.neural_network:MLPClassifier",
        _options(
            batch_size=whole,
            max_iter=whole,
            random_state=whole,
            hidden_layer_sizes=layers,
            activation=among("identity", "logistic", "tanh", "relu"),
            solver=among("lbfgs", "sgd", "adam"),
            learning_rate=among("constant", "invscaling", "adaptive"),
            tol=number,
            momentum=number,
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
                loss=renamed(
                    hinge="hinge",
                    log="log_loss",
                    modified_huber="modified_huber",
                    squared_hinge="squared_hinge",
                    perceptron="perceptron",
                )
            ),
        },
        _DESCENT_FIXED,
    ),
    Algorithm(
        "SVM",
        Kind.CLASSIFIER,
        "sklearn.svm:SVC",
        _options(C=number, gamma=number),
        {"gamma": "auto"},
    ),
    # --- clustering
    Algorithm(
        "DBSCAN",
        Kind.CLUSTER,
        "sklearn.cluster:DBSCAN",
        _options(eps=number, min_samples=whole),
        output="cluster",
        saved=False,
    ),
    Algorithm(
        "KMeans",
        Kind.CLUSTER,
        "sklearn.cluster:KMeans",
        _options(k=("n_clusters", whole), random_state=whole),
        {"n_init": 10, **_SEED},
        "cluster",
    ),
    Algorithm(
        "SpectralClustering",
        Kind.CLUSTER,
        "sklearn.cluster:SpectralClustering",
        _options(k=("n_clusters", whole), gamma=number, random_state=whole),
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
            type=("", among("categorical", "numeric")),
            mode=among("k_best", "fpr", "fdr", "fwe", "percentile"),
            param=lambda t: int(t) if t.isdecimal() else number(t),
        ),
        output="fs",
    ),
    Algorithm(
        "ICA",
        Kind.COMPONENTS,
        "sklearn.decomposition:FastICA",
        _options(
            n_components=whole,
            algorithm=among("parallel", "deflation"),
            whiten=("whiten", lambda t: "unit-variance" if boolean(t) else False),
            max_iter=whole,
            fun=among("logcosh", "exp", "cube"),
            tol=number,
            random_state=whole,
        ),
        _SEED,
        "IC",
    ),
    Algorithm(
        "KernelPCA",
        Kind.COMPONENTS,
        "sklearn.decomposition:KernelPCA",
        _options(
            degree=whole,
            k=("n_components", whole),
            gamma=number,
            tolerance=("tol", number),
            max_iteration=("max_iter", whole),
        ),
        {"kernel": "rbf", **_SEED},
        "PC",
        most=5_000,
    ),
    Algorithm(
        "PCA",
        Kind.COMPONENTS,
        "sklearn.decomposition:PCA",
        _options(k=("n_components", whole), variance=("n_components", within(0, 1))),
        _SEED,
        "PC",
    ),
    Algorithm(
        "TFIDF",
        Kind.TEXT,
        "sklearn.feature_extraction.text:TfidfVectorizer",
        _options(
            max_features=whole,
            max_df=number,
            min_df=number,
            ngram_range=ngrams,
            analyzer=among("word", "char", "char_wb"),
            norm=among("l1", "l2"),
            token_pattern=str,
            stop_words=among("english"),
        ),
        {"max_features": 100},
        "tfidf",
    ),
    # --- preprocessing
    Algorithm(
        "Imputer",
        Kind.SCALER,
        "sklearn.impute:SimpleImputer",
        _options(strategy=among("mean", "median", "most_frequent")),
        output="Imputed",
    ),
    Algorithm(
        "RobustScaler",
        Kind.SCALER,
        "sklearn.preprocessing:RobustScaler",
        _options(with_centering=boolean, with_scaling=boolean),
        output="RS",
    ),
    Algorithm(
        "StandardScaler",
        Kind.SCALER,
        "sklearn.preprocessing:StandardScaler",
        _options(with_mean=boolean, with_std=boolean),
        output="SS",
    ),
    # --- regressors
    Algorithm(
        "DecisionTreeRegressor",
        Kind.REGRESSOR,
        "sklearn.tree:DecisionTreeRegressor",
        {**_TREE, **_options(splitter=among("best", "random"))},
        _SEED,
    ),
    Algorithm(
        "ElasticNet",
        Kind.REGRESSOR,
        "sklearn.linear_model:ElasticNet",
        _options(fit_intercept=boolean, alpha=number, l1_ratio=number),
    ),
    Algorithm(
        "GradientBoostingRegressor",
        Kind.REGRESSOR,
        "sklearn.ensemble:GradientBoostingRegressor",
        {
            **_BOOSTING,
            **_options(
                loss=renamed(
                    ls="squared_error", lad="absolute_error", huber="huber", quantile="quantile"
                ),
                alpha=number,
                subsample=number,
            ),
        },
        _SEED,
    ),
    Algorithm(
        "KernelRidge",
        Kind.REGRESSOR,
        "sklearn.kernel_ridge:KernelRidge",
        _options(gamma=number),
        {"kernel": "rbf"},
        most=5_000,
    ),
    Algorithm(
        "Lasso",
        Kind.REGRESSOR,
        "sklearn.linear_model:Lasso",
        _options(alpha=number),
    ),
    Algorithm(
        "LinearRegression",
        Kind.REGRESSOR,
        "sklearn.linear_model:LinearRegression",
        _options(fit_intercept=boolean),
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
        _options(fit_intercept=boolean, alpha=number),
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
