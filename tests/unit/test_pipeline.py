from __future__ import annotations

import pickle
from typing import Any

import pytest

from penstock.errors import ConfigurationError
from penstock.pipeline import PIPELINES, PipelineSpec, expand


def pipeline(kind: str = "gladly", **changes: Any) -> PipelineSpec:
    fields: dict[str, Any] = {
        "version": 1,
        "pipeline": "acme-daily",
        "client": "acme-co",
        "source": {"kind": kind, "connection": "acme"},
        "window": {"kind": "daily", "timezone": "Europe/Berlin"},
        "load_strategy": {"kind": "append"},
        "datasets": [{"name": "contacts", "report": "ContactTimestampsReport"}],
    }
    return PIPELINES[kind].model_validate({**fields, **changes})


def test_a_dataset_without_window_or_strategy_takes_the_pipelines() -> None:
    own = {
        "name": "agents",
        "collection": "agents",
        "window": {"kind": "full"},
        "load_strategy": {"kind": "full_refresh"},
    }
    spec = pipeline(datasets=[{"name": "contacts", "report": "ContactTimestampsReport"}, own])
    contacts, agents = expand(spec)
    assert (contacts.window.kind, contacts.load_strategy.kind) == ("daily", "append")
    assert contacts.window.timezone == "Europe/Berlin"
    assert (agents.window.kind, agents.load_strategy.kind) == ("full", "full_refresh")


def test_a_dataset_is_loaded_into_the_clients_bronze_schema() -> None:
    named = {"name": "contacts_raw", "report": "ContactTimestampsReport", "table": "gladly_contacts"}
    spec = pipeline(datasets=[{"name": "contacts", "report": "ContactTimestampsReport"}, named])
    assert [str(one.target) for one in expand(spec)] == [
        "acme_co_bronze.gladly__contacts",
        "acme_co_bronze.gladly_contacts",
    ]


def test_instances_repeat_the_datasets_in_the_files_order_with_their_own_connection_and_table() -> None:
    spec = pipeline(
        datasets=[
            {"name": "contacts", "report": "ContactTimestampsReport"},
            {"name": "tasks", "report": "TaskTimestampsReport"},
        ],
        for_each=[{"name": "us", "connection": "acme-us"}, {"name": "eu", "connection": "acme-eu"}],
    )
    found = expand(spec)
    assert [one.name for one in found] == ["us__contacts", "eu__contacts", "us__tasks", "eu__tasks"]
    assert [one.connection for one in found] == ["acme-us", "acme-eu", "acme-us", "acme-eu"]
    assert [one.instance for one in found] == ["us", "eu", "us", "eu"]
    assert str(found[-1].target) == "acme_co_bronze.gladly__eu__tasks"


@pytest.mark.parametrize("key", ["window", "load_strategy"])
def test_expanding_without_a_window_or_strategy_says_which_dataset_lacks_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        expand(pipeline(**{key: None}))
    assert (caught.value.dataset, caught.value.missing) == ("contacts", key)
    assert "top of the pipeline" in caught.value.guidance


def test_a_pipeline_of_any_source_survives_being_sent_to_another_process() -> None:
    for kind, cls in PIPELINES.items():
        assert pickle.loads(pickle.dumps(cls)) is cls  # noqa: S301 - our own bytes
        assert cls.__name__.endswith("Pipeline"), kind
    spec = pipeline()
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 - our own bytes
    decided = expand(spec)
    assert pickle.loads(pickle.dumps(decided)) == decided  # noqa: S301 - our own bytes


def test_a_decided_dataset_keeps_its_sources_own_keys_when_it_becomes_json() -> None:
    (dataset,) = expand(pipeline())
    assert dataset.model_dump(mode="json")["spec"]["report"] == "ContactTimestampsReport"


def test_the_keys_of_a_dataset_are_those_of_its_source() -> None:
    rest = pipeline("rest", datasets=[{"name": "orders", "path": "/orders"}])
    assert rest.datasets[0].path == "/orders"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="path"):
        pipeline("gladly", datasets=[{"name": "orders", "path": "/orders"}])


def test_a_module_that_is_asked_for_a_class_it_does_not_make_says_so() -> None:
    import penstock.pipeline

    with pytest.raises(AttributeError, match="NopePipeline"):
        _ = penstock.pipeline.NopePipeline
