"""How a BI tool opens the publication of this installation: exact settings, a first table, a first query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.publishing.generations import current
from pipelines.settings import Settings

FIRST_TABLE = "trend_iqs"
FIRST_QUERY = (
    "select period_start, iqs, iqs_low, iqs_high, n, coverage\n"
    "from trend_iqs\n"
    "where dimension = 'all' and period = 'week' and basis = 'as_scored'\n"
    "order by period_start"
)


class UnknownTool(ValueError):
    """There are no settings for a tool of this name; the message lists those that there are."""


@dataclass(frozen=True)
class Places:
    """The files of this installation that are read, with absolute paths; `is_published` tells whether they exist."""

    published: Path
    is_published: bool

    @classmethod
    def of(cls, settings: Settings) -> Places:
        return cls(settings.published.resolve(), current(settings.published) is not None)

    @property
    def snapshot(self) -> Path:
        """The current publication: one state for as long as a connection stays open."""
        return self.published / "current" / "iqs.duckdb"

    @property
    def live(self) -> Path:
        """Views that follow the current publication, for servers that keep their connection open."""
        return self.published / "live.duckdb"

    @property
    def parquet(self) -> Path:
        return self.published / "current" / "parquet"


@dataclass(frozen=True)
class Connection:
    """What is entered where. `settings` are fields and their values; `steps` what is done before and after."""

    tool: str
    title: str
    database: str
    driver: str
    settings: dict[str, str]
    steps: tuple[str, ...] = ()
    docker: str = ""
    first_table: str = FIRST_TABLE
    first_query: str = FIRST_QUERY

    def as_json(self) -> dict:
        """The fields as a JSON object."""
        return asdict(self) | {"steps": list(self.steps)}


def connection(tool: str, places: Places) -> Connection:
    """The settings for `tool` (see TOOLS), on this installation. Raises UnknownTool."""
    make = TOOLS.get(tool.lower())
    if make is None:
        raise UnknownTool(f"{tool!r} is none of the tools that settings are known for: {', '.join(TOOLS)}")
    return make(tool.lower(), places)


def _mount(places: Places, image: str) -> str:
    """The same path inside as outside: the views of live.duckdb name absolute paths."""
    return f"docker run -v {places.published}:{places.published}:ro … {image}"


def _metabase(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Metabase",
        str(places.live),
        "DuckDB driver of MotherDuck (duckdb.metabase-driver.jar) in Metabase's folder plugins/",
        {
            "Database type": "DuckDB",
            "Database file": str(places.live),
            "Establish a read-only connection": "on",
            "Memory limit, Azure, MotherDuck token": "leave empty",
        },
        (
            "Put the jar into plugins/ and start Metabase again.",
            "Admin > Databases > Add database, with the settings below.",
            "Turn on 'Rerun queries for simple explorations'; sync the schema daily.",
        ),
        _mount(places, "metabase (an image with glibc, not Alpine: the driver needs it)"),
    )


def _superset(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Apache Superset",
        str(places.live),
        "pip install duckdb-engine (with Superset's own Python), SQLAlchemy dialect duckdb",
        {
            "SQLAlchemy URI": f"duckdb:///{places.live}?access_mode=READ_ONLY",
            "Allow DML, Allow CREATE TABLE AS": "off",
        },
        ("Settings > Database Connections > + Database > Other, with the URI below.",),
        _mount(places, "superset (and install duckdb-engine in the image)"),
    )


def _dbeaver(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "DBeaver (and any other JDBC client)",
        str(places.snapshot),
        "DuckDB JDBC (DBeaver fetches it; elsewhere org.duckdb:duckdb_jdbc), class org.duckdb.DuckDBDriver",
        {
            "JDBC URL": f"jdbc:duckdb:{places.snapshot}",
            "Driver property duckdb.read_only": "true",
        },
        (
            "New Database Connection > DuckDB, path as below; then Driver properties: duckdb.read_only = true.",
            "Reconnect (F5 on the connection) to see a newer publication.",
        ),
    )


def _powerbi(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Power BI (ODBC)",
        str(places.snapshot),
        "DuckDB ODBC driver for Windows (odbc_install.exe of its release)",
        {
            "Connection string": f"Driver={{DuckDB Driver}};Database={places.snapshot};access_mode=READ_ONLY;",
            "Data connectivity mode": "Import",
        },
        (
            "Get data > ODBC > Advanced options, connection string as below; authentication: Default or Custom, empty.",
            f"On another machine: copy {places.snapshot.name} there after each publication and name that path, "
            "or use Get data > Parquet on the folder below.",
            f"Parquet copies of every table, large ones in a folder of months: {places.parquet}",
        ),
    )


def _tableau(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Tableau (JDBC)",
        str(places.snapshot),
        "DuckDB JDBC jar in Tableau's Drivers folder, and the connector duckdb_jdbc.taco in its Connectors folder",
        {
            "Connector": "DuckDB by MotherDuck",
            "DuckDB Server": "Local file",
            "Database": str(places.snapshot),
        },
        ("Use an extract: it is refreshed after each publication, and nothing stays open in between.",),
    )


def _evidence(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Evidence",
        str(places.snapshot),
        "npm install @evidence-dev/duckdb",
        {
            "sources/iqs/connection.yaml": "name: iqs\ntype: duckdb\noptions:\n  filename: iqs.duckdb",
        },
        (
            f"ln -s {places.snapshot} sources/iqs/iqs.duckdb   (Evidence reads files of that folder only)",
            f"Put the query below into sources/iqs/{FIRST_TABLE}.sql",
            "npm run sources after each publication.",
        ),
        f"docker run -v {places.published}:{places.published}:ro …",
    )


def _grafana(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Grafana",
        str(places.live),
        "plugin motherduck-duckdb-datasource (not signed: GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS)",
        {
            "Data source": "DuckDB",
            "Path": str(places.live),
            "Format of a time series query": "period_start as time",
        },
        (
            "Unpack the plugin's release into Grafana's plugin folder, allow it, and start Grafana again.",
            "GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS=motherduck-duckdb-datasource allows it.",
            f"Give Grafana's account no right to write in {places.published}: the plugin has no read-only switch.",
        ),
        _mount(places, "grafana (the Ubuntu image: the plugin needs glibc)"),
        first_query="select cast(period_start as timestamp) as time, iqs\nfrom trend_iqs\n"
        "where dimension = 'all' and period = 'day' and basis = 'as_scored'\norder by time",
    )


def _python(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "Python (notebooks, scripts)",
        str(places.snapshot),
        "pip install duckdb (0.10.3 or newer)",
        {
            "code": "import duckdb\n\n"
            f'with duckdb.connect("{places.snapshot}", read_only=True) as db:\n'
            f'    print(db.sql("""{FIRST_QUERY}""").df())',
        },
        (f"Without DuckDB: every table is a Parquet file, or a folder of months, in {places.parquet}",),
    )


def _cli(tool: str, places: Places) -> Connection:
    return Connection(
        tool,
        "DuckDB's command line",
        str(places.snapshot),
        "the program duckdb (pip install duckdb-cli, brew install duckdb, …)",
        {"command": f"duckdb -readonly {places.snapshot}"},
        ("`.tables` lists the tables; `select * from duckdb_columns()` says what each column holds.",),
    )


TOOLS: dict[str, Callable[[str, Places], Connection]] = {
    "metabase": _metabase,
    "superset": _superset,
    "dbeaver": _dbeaver,
    "powerbi": _powerbi,
    "tableau": _tableau,
    "evidence": _evidence,
    "grafana": _grafana,
    "python": _python,
    "duckdb": _cli,
}
