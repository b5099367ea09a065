"""The only writers of clients and peers. State, audit event and job commit together."""
