"""The durable truth: tables, migrations and the store of typed verbs. Imports nothing of ours."""
