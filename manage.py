#!/usr/bin/env python
"""Django's command line for vwg, with the knobs that `make up` was given here."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from deploy import knobs

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vwg.settings")
    knobs.recall(Path(__file__).resolve().parent, os.environ)
    execute_from_command_line(sys.argv)
