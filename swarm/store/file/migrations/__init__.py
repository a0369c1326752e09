"""The steps from one version of a run's tables to the next: an alembic revision in a file each.

To change the tables: change ``tables.py``, add one to ``SCHEMA_VERSION`` in ``runfile.py``, and put
``vN_what.py`` here, with ``revision = "N"``, ``down_revision`` the number before (None for 2), and an
``upgrade()`` of calls to ``alembic.op`` that leaves the rows there are with the same meaning. It runs
in the one transaction of the whole migration, never changes once released, and imports nothing of
``swarm`` that may change. Checksums and triggers are taken off before the first revision and laid over the
tables after the last. ``tests/store/test_migration.py`` holds it to the tables of a new file.
"""
