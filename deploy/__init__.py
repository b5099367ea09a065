"""How vwg is started and stopped on one box. Nothing of vwg imports this package."""
