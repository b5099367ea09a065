"""WireGuard without a web framework: types, keys, texts, plans and drivers.

Rule 1: nothing in this package imports Django or any other package of the project.
Rule 2: ``types``, ``config``, ``dump`` and ``plan`` are pure: no files, sockets or processes.
"""
