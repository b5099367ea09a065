"""The tour: every page of the portal in four looks, on a day that can be told again."""
