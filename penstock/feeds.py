"""What a dataset gives to a table that dbt makes of many: named columns instead of models of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from penstock.findings import Finding
from penstock.naming import standardise_column
from penstock.spec import TABLE_PATTERN, Spec, TableName

Column = Annotated[str, StringConstraints(pattern=TABLE_PATTERN, max_length=63)]
CostUnit = Literal["cents", "dollars"]


class AiToolDailyFeed(Spec):
    """Which columns of a dataset say what people did with an AI tool on a day of UTC; several rows of a day add up."""

    model: Literal["ai_tool_daily"]
    tool: TableName = Field(description="What the tool is called in gold.")
    day: Column = Field(description="Column with a day or a time of UTC.")
    engineer: Column = Field(description="Column with an e-mail address, by which people are one in all tools.")
    requests: Column | None = Field(default=None, description="Column with the number of requests.")
    accepted_suggestions: Column | None = None
    accepted_lines: Column | None = None
    tokens: Column | None = Field(
        default=None, description="Column with the number of tokens; without one they are estimated."
    )
    cost: Column | None = None
    cost_unit: CostUnit | None = Field(default=None, description="What the cost is counted in, of US dollars.")

    @model_validator(mode="after")
    def _says_what_a_cost_is(self) -> Self:
        if (self.cost is None) != (self.cost_unit is None):
            raise ValueError("`cost` and `cost_unit` belong together")
        if all(column is None for column in (self.requests, self.accepted_lines, self.tokens, self.cost)):
            raise ValueError("nothing to count: give `requests`, `accepted_lines`, `tokens` or `cost`")
        return self

    def columns(self) -> dict[str, str]:
        """Returns the bronze column of each key that has one."""
        return self.model_dump(exclude={"model", "tool", "cost_unit"}, exclude_none=True)


def check_feed(feed: AiToolDailyFeed | None) -> Iterator[Finding]:
    """Yields what a dataset's feed says wrongly; places begin at the dataset."""
    for key, column in (feed.columns() if feed else {}).items():
        if column != standardise_column(column):
            yield Finding(
                ("feeds", key),
                f"`{column}` is not how bronze names a column",
                "Write it as it is in the warehouse.",
                suggestion=standardise_column(column),
            )
