"""Two walls between tenants: the code's doors, and PostgreSQL's row-level security behind them."""

from django.db import connections

POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite has no row-level security; there is nothing to show there.
collect_ignore = [] if POSTGRESQL else ["test_row_security.py"]
