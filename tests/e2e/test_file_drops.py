"""Files from several places and of several kinds, from the drop to the table, and what is known of them afterwards."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest

import flows.waiting
from tests.fakes.moto_server import MotoServer

DROPS = """
source: {kind: s3_files, connection: north-drops}
for_each: [{name: north, connection: north-drops}, {name: south, connection: south-drops}]
window: {kind: full}
load_strategy: {kind: append}
datasets:
  - {name: orders, glob: "orders/*.zip", members: "*.csv"}
  - {name: plan, glob: "plan/*.xlsx", sheet: {skip_rows: 1, footer_rows: 1}}
  - {name: till, glob: "till/*.txt", format: csv, dialect: {delimiter: ";", columns: [id, note], null_texts: ["-"]}}
"""
DATED = """
source: {kind: s3_files, connection: drops}
window: {kind: daily, timezone: America/New_York, lag: 1d}
load_strategy: {kind: append}
datasets:
  - name: forecast
    glob: "{day:%Y/%m/%d}/*.csv"
    select: all
    wait_for: {deadline: 2h, poll: 1m, minimum_files: 2}
"""


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(members: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, text in members.items():
            made.writestr(name, text)
    return file.getvalue()


def test_one_pipeline_reads_several_buckets_and_knows_each_file_it_read(project: Any, s3_server: MotoServer) -> None:
    buckets = {name: s3_server.make_bucket(f"{name}-drops") for name in ("north", "south")}
    client = s3_server.client("s3")
    for name, bucket in buckets.items():
        put = {
            "orders/1.zip": archive({"a.csv": f"id,at\n1,{name}\n", "b.csv": "id,at\n2,b\n3,c\n", "readme.txt": ""}),
            "plan/march.xlsx": workbook(["Plan"], ["Agent", "Hours"], [name, 7.5], ["Total", 7.5]),
            "till/1.txt": b'1;-\n2;"-"\n',
        }
        for key, content in put.items():
            client.put_object(Bucket=bucket, Key=key, Body=content)
    project.write_platform("\n".join(f"{name}-drops: {s3_server.setting(one)}" for name, one in buckets.items()))
    project.write_pipeline("drops", DROPS)

    report = project.run("drops")
    assert report.is_green, report
    for name, bucket in buckets.items():
        schema = "acme_bronze"
        tables = {one: f"{schema}.s3_files__{name}__{one}" for one in ("orders", "plan", "till")}
        orders = project.query(f"select id, at, _source_file from {tables['orders']} order by id")
        assert orders == [
            ("1", name, "orders/1.zip#a.csv"), ("2", "b", "orders/1.zip#b.csv"), ("3", "c", "orders/1.zip#b.csv"),
        ]  # fmt: skip
        assert project.query(f"select agent, hours from {tables['plan']}") == [(name, "7.5")]
        assert project.query(f"select id, note from {tables['till']} order by id") == [("1", None), ("2", "-")]
        known = project.query(
            "select source_name, source_key, source_size_bytes, source_modified_at, source_etag from penstock.files "
            f"where target_table = '{tables['orders'].split('.')[1]}' order by source_name"
        )
        listed = client.head_object(Bucket=bucket, Key="orders/1.zip")
        expected = ("orders/1.zip", listed["ContentLength"], listed["LastModified"], listed["ETag"].strip('"'))
        assert [row[0] for row in known] == ["orders/1.zip#a.csv", "orders/1.zip#b.csv"]
        assert {(row[1], row[2], row[3].astimezone(UTC), row[4].strip('"')) for row in known} == {expected}

    again = project.run("drops")
    assert [one.result.rows_landed for one in again.datasets if one.result] == [0] * 6


def test_a_run_by_hand_waits_where_it_is_and_reads_the_day_that_it_was_about(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drops = project.root / "drops"
    drops.mkdir()
    project.write_platform(f'drops: {{kind: folder, path: "{drops}"}}')
    project.write_pipeline("forecast", DATED)
    at = datetime.now(UTC)
    day = drops / f"{_yesterday_in_new_york(at):%Y/%m/%d}"
    day.mkdir(parents=True)
    (day / "a.csv").write_text("id\n1\n")
    pauses: list[float] = []

    def deliver(seconds: float) -> None:
        pauses.append(seconds)
        (day / "b.csv").write_text("id\n2\n")

    monkeypatch.setattr(flows.waiting.time, "sleep", deliver)
    report = project.run("forecast")
    assert report.is_green, report
    assert len(pauses) == 1
    assert 50 < pauses[0] <= 60
    assert project.query("select id from acme_bronze.s3_files__forecast order by id") == [("1",), ("2",)]


def test_files_that_have_not_come_by_the_deadline_fail_the_dataset_and_say_so(project: Any) -> None:
    drops = project.root / "drops"
    drops.mkdir()
    project.write_platform(f'drops: {{kind: folder, path: "{drops}"}}')
    project.write_pipeline("forecast", DATED)
    report = project.run("forecast", options={"at": (datetime.now(UTC) - timedelta(hours=3)).isoformat()})
    assert not report.is_green
    [failed] = report.datasets
    assert failed.error_kind == "DataError"
    assert "the files that the dataset waits for have not come" in (failed.error or "")
    assert "found=0, minimum_files=2, deadline=2h" in (failed.error or "")


def _yesterday_in_new_york(at: datetime) -> datetime:
    from zoneinfo import ZoneInfo

    return at.astimezone(ZoneInfo("America/New_York")) - timedelta(days=1)
