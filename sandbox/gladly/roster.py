"""Who and what an organisation has: agents, teams, inboxes, topics and customers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sandbox.seeded import fraction, identifier

# Names hold what breaks naive readers: commas, quotes, accents and one line break.
_FIRST_NAMES = (
    "Ada", "Björn", "Chloé", "Dmitri", "Esra", "Farid", "Grace", "Hana", "Iñigo", "Jolana", "Kwame", "Lena",
    "Mira", "Noah", "Oksana", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma", "Viktor", "Wanjiru", "Zoë",
)  # fmt: skip
_LAST_NAMES = (
    "Abara", "Brandt", "Castillo", "D'Souza", "Eriksen", "Fournier", "Gupta", "Hoffmann", "Ito", "Jansen",
    "Kovács", "Lindqvist", "Moreau", "Novak", "O'Neill", "Petrov", "Quispe", "Rossi", "Sato", "Tanaka",
    "Usman", "Vega", "Weiß", "Yilmaz", "Zhang, Jr.",
)  # fmt: skip
_TEAMS = ("Voice", "Messaging", "Mail")
_INBOXES = (
    ("Voice Support", 0),
    ("Voice Orders", 0),
    ("Chat & SMS", 1),
    ("Social", 1),
    ("Email Support", 2),
    ('Returns, "Exchanges"', 2),
)
_TOPICS = (
    ("Orders", None), ("Order Status", 0), ("Order Changes", 0), ("Shipping", None), ("Late Delivery", 3),
    ("Lost Parcel\n(carrier claim)", 3), ("Returns", None), ("Refund, partial", 6), ("Exchange", 6), ("Products", None),
    ('Frame size ("fit")', 9), ("Lenses", 9), ("Account", None), ("Password", 12),
)  # fmt: skip
_DISABLED_TOPIC = 13
_AGENTS = 26
_CUSTOMERS = 6_000
_CUSTOMERS_WITH_EXTERNAL_ID = 0.6


@dataclass(frozen=True, slots=True)
class Team:
    """A group of agents."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who answers customers; `number` orders agents, `team` is the place in `Roster.teams`."""

    number: int
    id: str
    name: str
    email: str
    team: int


@dataclass(frozen=True, slots=True)
class Inbox:
    """A queue of contacts; `team` is the place in `Roster.teams`."""

    id: str
    name: str
    team: int


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation is about."""

    id: str
    name: str
    parent_id: str | None
    path: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who asks; every detail is invented."""

    id: str
    name: str
    email: str
    phone: str
    address: str
    external_id: str | None


class Roster:
    """The lists of one organisation, decided by seed and name."""

    def __init__(self, seed: int, organization: str) -> None:
        self.seed = seed
        self.organization = organization
        self.teams = [Team(self._id("team", number), name) for number, name in enumerate(_TEAMS)]
        self.inboxes = [Inbox(self._id("inbox", n), name, team) for n, (name, team) in enumerate(_INBOXES)]
        self.topics = self._topics()
        self.agents = [self._agent(number) for number in range(_AGENTS)]
        self.agent_by_id = {agent.id: agent for agent in self.agents}
        self.routing_rule_id = self._id("rule", "routing")
        self.customer = lru_cache(maxsize=_CUSTOMERS)(self._customer)

    @property
    def customer_count(self) -> int:
        """How many customers there are, numbered from 0."""
        return _CUSTOMERS

    def _customer(self, number: int) -> Customer:
        """Returns a customer by number."""
        first = _FIRST_NAMES[number * 7 % len(_FIRST_NAMES)]
        last = _LAST_NAMES[number * 11 % len(_LAST_NAMES)]
        has_external_id = fraction(self.seed, self.organization, "crm", number) < _CUSTOMERS_WITH_EXTERNAL_ID
        return Customer(
            id=self._id("customer", number),
            name=f"{first} {last}",
            email=f"customer{number}@example.com",
            phone=f"+1555{number:07d}",
            address=f"{1 + number % 980} Canal Street,\nApt {1 + number % 40}",
            external_id=f"crm-{number}" if has_external_id else None,
        )

    def _agent(self, number: int) -> Agent:
        first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
        last = _LAST_NAMES[(number * 3 + 1) % len(_LAST_NAMES)]
        email = f"agent{number:02d}@{self.organization}.example.com"
        return Agent(number, self._id("agent", number), f"{first} {last}", email, number % len(_TEAMS))

    def _topics(self) -> list[Topic]:
        topics: list[Topic] = []
        for number, (name, parent) in enumerate(_TOPICS):
            above = None if parent is None else topics[parent]
            path = name if above is None else f"{above.path} > {name}"
            parent_id = None if above is None else above.id
            topics.append(Topic(self._id("topic", number), name, parent_id, path, disabled=number == _DISABLED_TOPIC))
        return topics

    def _id(self, kind: str, number: object) -> str:
        return identifier(self.seed, self.organization, kind, number)
