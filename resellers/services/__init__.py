"""What operators and owners do to a tenant and to what belongs to it."""
