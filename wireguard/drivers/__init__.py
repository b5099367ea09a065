"""Two ways to carry out a plan: the ``wg`` command, and a gateway in memory."""
