"""The data models: every dataset that content names, and how a definition can be wrong."""

from __future__ import annotations

import pytest

from escudo.cim.models import load, parse_model
from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.parse_search import parse_search


@pytest.mark.parametrize(
    ("model", "dataset", "table"),
    [
        ("Endpoint", "Processes", "endpoint_processes"),
        ("ENDPOINT", "processes", "endpoint_processes"),
        ("Endpoint", None, "endpoint_processes"),
        ("Network_Traffic", None, "network_traffic_all_traffic"),
        ("Authentication", "Failed_Authentication", "authentication_authentication"),
        ("Risk", "All_Risk", "raw_risk"),
        ("Certificates", "SSL", "certificates_all_certificates"),
        ("Change_Analysis", "All_Changes", "change_all_changes"),
        ("Compute_Inventory", "Cleartext_Passwords", "compute_inventory_all_inventory"),
    ],
)
def test_table_of_a_dataset(model: str, dataset: str | None, table: str) -> None:
    schema = load().dataset(model, dataset)
    assert schema is not None
    assert schema.table == table


@pytest.mark.parametrize(("model", "dataset"), [("Nothing", None), ("Endpoint", "Nothing")])
def test_unknown_dataset(model: str, dataset: str | None) -> None:
    assert load().dataset(model, dataset) is None


def test_a_child_is_selected_by_the_constraints_of_its_line() -> None:
    models = load()
    root, child = models.dataset("Change", None), models.dataset("Change", "Endpoint_Restarts")
    assert root is not None
    assert child is not None
    assert root.constraint is None
    assert child.constraint == "(tag=endpoint) (action=modified change_type=restart)"
    assert child.columns == root.columns


@pytest.mark.parametrize(
    ("model", "dataset", "field", "kind"),
    [
        ("Endpoint", "Processes", "process_hash", FieldType.MULTIVALUE),
        ("Endpoint", "Processes", "process_id", FieldType.STRING),
        ("Endpoint", "Processes", "dest_category", FieldType.MULTIVALUE),
        ("Endpoint", "Processes", "tag", FieldType.MULTIVALUE),
        ("Network_Traffic", "All_Traffic", "bytes_in", FieldType.INTEGER),
        ("Network_Traffic", "All_Traffic", "dest_port", FieldType.STRING),
        ("Risk", "All_Risk", "risk_score", FieldType.INTEGER),
        ("Risk", "All_Risk", "annotations.mitre_attack.mitre_tactic", FieldType.MULTIVALUE),
        ("Risk", "All_Risk", "normalized_risk_object", FieldType.STRING),
    ],
)
def test_stored_type(model: str, dataset: str, field: str, kind: FieldType) -> None:
    schema = load().dataset(model, dataset)
    assert schema is not None
    assert schema.by_name[field].type is kind


def test_risk_events_are_raw_events_too() -> None:
    schema = load().dataset("Risk", None)
    assert schema is not None
    assert schema.rest == "_fields"
    assert "_raw" in schema.by_name
    assert schema.by_name["calculated_risk_score"].expr == "risk_score"


def test_expressions_and_constraints_parse() -> None:
    for model, name in load().datasets():
        dataset = load().find(model, name)
        assert dataset is not None
        for text in (*dataset.calculated.values(), *([dataset.where] if dataset.where else [])):
            parse_eval(text)
        if dataset.schema.constraint:
            parse_search(dataset.schema.constraint)


def test_each_table_has_one_root() -> None:
    tables = [d.schema.table for d in load().roots()]
    assert len(set(tables)) == len(tables)
    assert {s.table for m, d in load().datasets() if (s := load().dataset(m, d))} == set(tables)


def test_lower_cased_copies_have_a_column_of_their_own() -> None:
    for dataset in load().roots():
        names = dataset.schema.arrow().names
        assert len({n.lower() for n in names}) == len(names), dataset.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: []", "'model' is missing"),
        ("{model: A, datasets: [{fields: {}}]}", "'name' is missing"),
        ("{model: A, datasets: [{name: B, colour: red}]}", "unknown key 'colour'"),
        ("{model: A, datasets: [{name: B, fields: {c: text}}]}", "no type 'text'"),
        ("{model: A, datasets: [{name: B, fields: {c: 'string, often'}}]}", "no flag 'often'"),
        ("{model: A, datasets: [{name: B, parent: C, constraint: x=1}]}", "no parent 'C'"),
        ("{model: A, datasets: [{name: B, lower: [c]}]}", "no field 'c' to lower"),
    ],
)
def test_a_wrong_definition(text: str, message: str) -> None:
    with pytest.raises(EscudoError, match=message) as caught:
        parse_model(text, "a.yml")
    assert caught.value.code == "CIM001"
