"""Tests on real tunnels: network namespaces, wireguard-go, real packets."""
