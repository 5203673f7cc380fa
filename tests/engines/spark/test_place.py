"""Masters and files of properties, as options, settings and variables name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.engines.spark.place import LOCAL, SparkPlace, check_master, read_properties


@pytest.mark.parametrize(
    "master",
    [
        *("local", "local[4]", "local[*]", "local[2,3]", "local-cluster[2, 1, 1024]", "yarn"),
        *("spark://host:7077", "spark://one:7077,two:7077", "k8s://https://10.0.0.1:6443"),
        *("sc://host:15002", "sc://host:443/;use_ssl=true;token=abc"),
    ],
)
def test_masters(master: str) -> None:
    assert check_master(master) == master


@pytest.mark.parametrize("text", ["", "loca[2]", "http://host", "local[x]", "spark://", "yarn-x"])
def test_what_is_no_master(text: str) -> None:
    with pytest.raises(EscudoError) as raised:
        check_master(text)
    assert raised.value.code == "ENG010"


def test_properties_as_spark_submit_reads_them(tmp_path: Path) -> None:
    """java.util.Properties: blanks, = or : between, # and ! begin comments."""
    file = tmp_path / "spark.conf"
    file.write_text(
        "# a comment\n! another\n\nspark.executor.memory\t4g\n  spark.cores.max = 8\n"
        "spark.jars.packages: io.delta:delta-spark_2.13:4.0.0\nspark.app.name my own name\n"
        "spark.driver.extraJavaOptions -Da=b -Dc=d\n"
    )
    assert read_properties(file) == {
        "spark.executor.memory": "4g",
        "spark.cores.max": "8",
        "spark.jars.packages": "io.delta:delta-spark_2.13:4.0.0",
        "spark.app.name": "my own name",
        "spark.driver.extraJavaOptions": "-Da=b -Dc=d",
    }


@pytest.mark.parametrize(("text", "line"), [("spark.a 1\nexecutor.memory 4g\n", 2), ("= 4\n", 1)])
def test_what_spark_would_pass_over_is_an_error(text: str, line: int, tmp_path: Path) -> None:
    file = tmp_path / "spark.conf"
    file.write_text(text)
    with pytest.raises(EscudoError) as raised:
        read_properties(file)
    told = raised.value.diagnostic
    assert told.code == "ENG011"
    assert told.span is not None
    assert (told.span.file, told.span.line) == (str(file), line)


def test_the_option_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "spark.conf"
    file.write_text("spark.master yarn\nspark.executor.cores 2\n")
    of_file, named = SparkPlace.find(None, file), SparkPlace.find("local[3]", file)
    assert (of_file.master, named.master) == ("yarn", "local[3]")
    assert of_file.properties == named.properties == {"spark.executor.cores": "2"}
    assert SparkPlace.find(None, None) == SparkPlace(LOCAL)


def test_connect_goes_before_a_master_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "spark.conf"
    file.write_text("spark.master yarn\nspark.remote sc://host:15002\n")
    place = SparkPlace.find(None, file)
    assert (place.is_remote, place.is_local) == (True, False)
