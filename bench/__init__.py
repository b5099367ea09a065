"""What vwg costs, measured on a whole running stack: `make bench`. See docs/performance.md."""
