"""What no page may do to its reader: run foreign script, be framed, be forged, lead astray."""
