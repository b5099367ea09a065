"""Faults: what dies, hangs or lies is healed without a human, and nobody else notices."""
