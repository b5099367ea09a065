"""Which tests of bulk requests there are."""

from django.db import connections

POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite knows one writer at a time: nobody waits for a row there.
collect_ignore = [] if POSTGRESQL else ["test_side_by_side.py"]
