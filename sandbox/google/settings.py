"""Which Google accounts, mailboxes and spreadsheets exist, and what their APIs allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

GMAIL_READONLY = "https://www.googleapis.com/auth/gmail.readonly"
GMAIL_METADATA = "https://www.googleapis.com/auth/gmail.metadata"
SHEETS_READONLY = "https://www.googleapis.com/auth/spreadsheets.readonly"

GOOGLE_DOMAIN = "warbyparker.example.com"
OPERATIONS_MAILBOX = f"operations@{GOOGLE_DOMAIN}"
SUPPORT_MAILBOX = f"support@{GOOGLE_DOMAIN}"
MAILBOXES = (OPERATIONS_MAILBOX, SUPPORT_MAILBOX)

# All of these open nothing but the sandbox.
GOOGLE_CLIENT_ID = "penstock-sandbox.apps.googleusercontent.com"
GOOGLE_CLIENT_SECRET = "google-sandbox-client-secret"  # noqa: S105
GOOGLE_REFRESH_TOKEN = "google-sandbox-refresh-token"  # noqa: S105
# A consent to see headers alone.
GOOGLE_METADATA_REFRESH_TOKEN = "google-sandbox-metadata-refresh-token"  # noqa: S105
SERVICE_ACCOUNT = "penstock@penstock-sandbox.iam.gserviceaccount.com"

ROSTER_SPREADSHEET = "1AgentRosterOfTheSandboxWarbyParker"
ODD_SPREADSHEET = "1EverythingThatIsOddInASpreadsheet"
# Not shared with anybody here.
PRIVATE_SPREADSHEET = "1SalariesThatNobodyHereMayReadXX"
# An Excel file that lies in Drive.
EXCEL_FILE = "1WorkbookThatWasNeverConvertedXXX"

_UNLIMITED = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class GoogleSettings:
    """The emulated accounts.

    Args:
        opened_on: The first day with mail.
        letters_per_day: That customers write to the support mailbox on a weekday.
        most_per_page: Messages that a page has at most, whatever is asked for; Gmail's is 500.
        units_per_minute: Gmail's quota for a mailbox; 6,000 as documented.
        reads_per_minute: The quota of Sheets for an account; 60 as documented.
        search_slack_seconds: How much wider than asked the mail search finds; less than 0 is narrower.
        delegated_scopes: What the domain lets the service account do as somebody else.
    """

    opened_on: date = date(2026, 1, 1)
    letters_per_day: int = 20
    most_per_page: int = 500
    units_per_minute: int = _UNLIMITED
    reads_per_minute: int = _UNLIMITED
    search_slack_seconds: int = 0
    delegated_scopes: frozenset[str] = frozenset({GMAIL_READONLY})
