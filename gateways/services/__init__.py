"""The writers of gateways, interfaces and the global settings: an operator's acts."""
