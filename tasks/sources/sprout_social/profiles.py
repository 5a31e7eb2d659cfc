"""The customer's profiles, and which of them one request is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from penstock.errors import ConfigurationError, DataError
from penstock.sources.rest import NoPaging
from penstock.sources.sprout_social import SproutSocialDataset
from penstock.sources.sprout_social_metrics import network_of
from tasks.sources.contract import ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.page import Endpoint
from tasks.sources.rest.walk import walk
from tasks.sources.sprout_social.catalog import LISTS, Report


class Profile(msgspec.Struct, frozen=True):
    """A profile, as `GET /metadata/customer` lists it."""

    customer_profile_id: int
    network_type: str
    groups: tuple[int, ...] = ()

    @property
    def network(self) -> str:
        """The network's plain name."""
        return network_of(self.network_type)


class Target(NamedTuple):
    """What one chain of requests is about.

    Args:
        filters: In Sprout's words; none for all of the customer.
        network: Whose metrics are asked; empty where none are.
        profile_count: How many profiles it holds.
    """

    filters: tuple[str, ...] = ()
    network: str = ""
    profile_count: int = 0


def list_profiles(client: HttpClient, customer: int, dataset: SproutSocialDataset) -> list[Profile]:
    """Returns the profiles that a dataset is about, in the order of their ids.

    Raises:
        ConfigurationError: The dataset names one that the customer has not, or that the credentials do not open.
        DataError: The list has something else than profiles.
    """
    path = f"/v1/{customer}{LISTS['profiles']}"
    endpoint = Endpoint(HttpRequest(path, path), records="data", paging=NoPaging(kind="none"))
    records = [record for page in walk(client, endpoint) for record in page.records]
    try:
        known = [msgspec.json.decode(record, type=Profile) for record in records]
    except msgspec.ValidationError:
        # Without the cause, which may quote a value.
        raise DataError(
            "the customer's list holds something else than profiles",
            guidance="Compare an answer with Sprout's reference; its API may have changed.",
            connection=client.connection_name,
            endpoint=path,
        ) from None
    missing = set(dataset.profiles) - {profile.customer_profile_id for profile in known}
    if missing:
        raise ConfigurationError(
            "the customer has no such profiles",
            guidance="Correct the dataset's `profiles`, or give the credentials access to them.",
            profiles=", ".join(map(str, sorted(missing))),
        )
    networks = {network_of(name) for name in dataset.networks}
    chosen = [one for one in known if not dataset.profiles or one.customer_profile_id in dataset.profiles]
    chosen = [one for one in chosen if not networks or one.network in networks]
    return sorted(chosen, key=lambda profile: profile.customer_profile_id)


def targets_of(
    profiles: Sequence[Profile], report: Report, dataset: SproutSocialDataset, sink: ExtractSink
) -> Iterator[Target]:
    """Yields what is asked for: each profile once, together with others of its network or its group."""
    if report.scope == "networks":
        yield from _by_network(profiles, metrics_of(report, dataset), dataset, sink)
    elif report.scope == "groups":
        yield from _by_group(profiles, dataset, sink)
    else:
        yield Target()


def metrics_of(report: Report, dataset: SproutSocialDataset) -> Mapping[str, Sequence[str]]:
    """Returns the metrics that are asked, by network: the dataset's list, or else the default one."""
    return {**report.metrics, **{network_of(name): metrics for name, metrics in dataset.metrics.items()}}


def _by_network(
    profiles: Sequence[Profile],
    metrics: Mapping[str, Sequence[str]],
    dataset: SproutSocialDataset,
    sink: ExtractSink,
) -> Iterator[Target]:
    for network in sorted({profile.network for profile in profiles}):
        ids = [profile.customer_profile_id for profile in profiles if profile.network == network]
        if network not in metrics:
            sink.warn(
                f"{len(ids)} profiles of {network} were left out: no metrics are known for that network; "
                "name them in the dataset's `metrics`"
            )
            continue
        for part in _batches(ids, dataset.profiles_per_request):
            yield Target((_profile_filter(part),), network, len(part))


def _by_group(profiles: Sequence[Profile], dataset: SproutSocialDataset, sink: ExtractSink) -> Iterator[Target]:
    """Yields each profile under the first of its groups: under each, its messages would come more than once."""
    homeless = sum(not profile.groups for profile in profiles)
    if homeless:
        sink.warn(f"{homeless} profiles were left out: they are in no group, and messages are asked for by group")
    for group in sorted({profile.groups[0] for profile in profiles if profile.groups}):
        ids = [one.customer_profile_id for one in profiles if one.groups and one.groups[0] == group]
        for part in _batches(ids, dataset.profiles_per_request):
            yield Target((f"group_id.eq({group})", _profile_filter(part)), profile_count=len(part))


def _batches(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _profile_filter(ids: Sequence[int]) -> str:
    return f"customer_profile_id.eq({', '.join(map(str, ids))})"
