"""The catalogue of a small project: what its pages say, that they lead nowhere else, and what is not in them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import httpx
import pytest

import deployments.cli
from deployments.catalogue.serving import serve_catalogue
from deployments.compile_file import write_files
from tasks.definitions.project import Project
from tasks.environment import current_environment

SALT = "salt-of-this-test"
TOKEN = "token-of-this-test"
PERSON = "ada.lovelace@acme.example"
FILES = {
    "deployments/platforms/local.yaml": f"""\
version: 1
platform: local
store: {{kind: folder, path: "${{PENSTOCK_HOME}}/lake"}}
warehouse: {{kind: duckdb, path: "${{PENSTOCK_HOME}}/warehouse.duckdb"}}
connections:
  shop-north: {{kind: rest, base_url: http://127.0.0.1:1, auth: {{kind: bearer, token: {TOKEN}}}}}
  shop-south: {{kind: rest, base_url: http://127.0.0.1:1}}
dbt: {{target: duckdb}}
work_pool: local
""",
    "deployments/clients/acme/shop.yaml": """\
version: 1
pipeline: shop
client: acme
description: Orders of <every> shop, by `region`.
source: {kind: rest, connection: shop-north}
window: {kind: full}
load_strategy: {kind: full_refresh}
for_each: [{name: north, connection: shop-north}, {name: south, connection: shop-south}]
datasets: [{name: orders, path: /orders, governance: {pii: [buyer], classification: confidential}}]
schedules: [{cron: "0 6 * * *", timezone: America/New_York}]
""",
    "dbt/dbt_project.yml": "name: acme\nprofile: acme\nversion: '1.0.0'\n"
    "flags: {send_anonymous_usage_stats: false}\nmodels: {acme: {+schema: gold}}\n",
    "dbt/profiles.yml": "acme:\n  target: duckdb\n  outputs:\n    duckdb: {type: duckdb, "
    "path: \"{{ env_var('PENSTOCK_WAREHOUSE_PATH') }}\"}\n",
    "dbt/models/stg_orders.sql": """\
{% for one in penstock_instances('rest', 'orders') %}
select id, sha256(buyer || '{{ env_var("PENSTOCK_PII_SALT") }}') as buyer_hash, '{{ one.instance }}' as region
from {{ source(one.source, one.table) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
""",
    "dbt/models/fct_orders.sql": "select * from {{ ref('stg_orders') }}\n",
    "dbt/models/fct_orders.yml": "models:\n  - name: fct_orders\n    description: One row per order.\n"
    "    columns: [{name: buyer_hash, description: Who bought.}]\n",
}


class Page(HTMLParser):
    """What a page links to and loads, and the cells of its tables, row by row."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.rows: list[list[str]] = []
        self._is_in_cell = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [given["href"] or ""] if tag == "a" else []
        self.loads += [value or "" for name, value in attrs if name == "src" or (tag == "link" and name == "href")]
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._is_in_cell = self._is_in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("catalogue")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    project = Project(root)
    write_files(project, "local", root / "prefect.yaml")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PENSTOCK_HOME", "PENSTOCK_PLATFORM", "DBT_PROFILES_DIR", "DBT_PROJECT_DIR"):
            patch.delenv(name, raising=False)
        patch.setenv("PENSTOCK_PROJECT", str(root))
        patch.setenv("PENSTOCK_PII_SALT", SALT)
        fill_warehouse(project)
        yield project


def fill_warehouse(project: Project) -> None:
    environment = current_environment(project, connections=())
    environment.warehouse().migrate()
    loaded = datetime.now(UTC) - timedelta(hours=40)
    with duckdb.connect(str(project.home / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA acme_bronze")
        for instance in ("north", "south"):
            connection.execute(f"CREATE TABLE acme_bronze.rest__{instance}__orders (id VARCHAR, buyer VARCHAR)")
        connection.execute("INSERT INTO acme_bronze.rest__north__orders VALUES ('1', ?)", [PERSON])
        connection.execute(
            "INSERT INTO penstock.loads SELECT 1, 'b1', 'acme', 'shop', 'rest', 'north__orders', 'acme_bronze', "
            "'rest__north__orders', 'full_refresh', NULL, NULL, 'UTC', $t, 'forward', 'r1', 1234, 1234, 0, 1234, 0, 0, "
            "1234, 10, 1, $t, $t",
            {"t": loaded},
        )


@pytest.fixture(scope="module")
def folder(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "catalogue"
    with pytest.raises(SystemExit) as ended:
        deployments.cli.main(["docs", "--build", str(folder)])
    assert not ended.value.code
    return folder


def test_the_command_of_the_page_about_it_is_the_one_that_is_run_here() -> None:
    text = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL) == ["penstock docs --build catalogue\n"]


def test_each_dataset_stands_with_its_place_in_the_ledger_and_the_models_built_from_it(folder: Path) -> None:
    page = Page(folder / "index.html")
    _, north, south = page.rows
    assert north[0].startswith("north__orders acme_bronze.rest__north__orders")
    assert north[1] == "late late after 36 h, overdue after 60 h"
    assert north[4] == "1,234"
    assert north[6] == "full_refresh , window full connection shop-north"
    assert north[7] == "confidential pii buyer"
    assert north[8] == "fct_orders stg_orders"
    assert (south[1].split(" late ")[0], south[6].split()[-1]) == ("never loaded", "shop-south")
    assert "Orders of &lt;every&gt; shop, by <code>region</code>." in (folder / "index.html").read_text()


def test_a_models_page_says_what_each_column_is_made_of(folder: Path) -> None:
    _, *rows = Page(folder / "models" / "fct_orders.html").rows
    bronze = ["rest__north__orders.{0}", "rest__south__orders.{0}"]
    assert {row[0]: row[2:] for row in rows} == {
        "id": ["", "stg_orders.id", " ".join(bronze).format("id")],
        "buyer_hash": ["Who bought.", "stg_orders.buyer_hash", " ".join(bronze).format("buyer")],
        "region": ["", "stg_orders.region", ""],
    }


def test_every_link_leads_to_a_page_that_is_there_and_nothing_is_loaded_from_elsewhere(folder: Path) -> None:
    paths = [path for path in folder.rglob("*.html") if path.name != "dbt.html"]
    assert {path.relative_to(folder).as_posix() for path in paths} == {
        "index.html",
        "models.html",
        "models/fct_orders.html",
        "models/stg_orders.html",
    }
    for path in paths:
        page = Page(path)
        assert page.loads == []
        for link in page.links:
            target, _, fragment = link.partition("#")
            linked = (path.parent / target).resolve() if target else path
            assert linked.is_file(), (path, link)
            if fragment and linked.name != "dbt.html":
                assert fragment in Page(linked).ids
    assert not [one for one in Page(folder / "dbt.html").loads if re.match(r"(https?:)?//", one)]


def test_no_secret_and_no_row_is_in_any_page(folder: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.html")]
    assert any("sha256(buyer || 'not-shown')" in text for text in texts)
    for secret in (SALT, TOKEN, PERSON, str(Path.home())):
        assert not [text for text in texts if secret in text]


def test_another_build_replaces_the_pages_and_a_folder_of_something_else_is_left_alone(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = folder / "models" / "gone.html"
    stale.touch()
    with pytest.raises(SystemExit) as ended:
        deployments.cli.main(["docs", "--build", str(folder)])
    assert not ended.value.code
    assert not stale.exists()
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(SystemExit) as refused:
        deployments.cli.main(["docs", "--build", str(tmp_path)])
    assert refused.value.code == 2
    assert "something else than a catalogue" in capsys.readouterr().err
    assert (tmp_path / "index.html").read_text() == "mine"


def test_the_catalogue_is_served_on_this_machine(folder: Path) -> None:
    told: list[str] = []
    is_up = threading.Event()

    def announce(url: str) -> None:
        told.append(url)
        is_up.set()

    threading.Thread(target=serve_catalogue, args=(folder, 0, announce), daemon=True).start()
    assert is_up.wait(60)
    answer = httpx.get(told[0], timeout=60)
    assert told[0].startswith("http://127.0.0.1:")
    assert (answer.status_code, answer.text) == (200, (folder / "index.html").read_text(encoding="utf-8"))
