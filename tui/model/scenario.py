"""What can have happened to a database, as the runbooks tell it apart."""

from __future__ import annotations

from enum import Enum


class Scenario(Enum):
    """One kind of disaster; what is known of each is in `incident/scenarios.py`."""

    ACCIDENTAL_DELETION = "accidental-deletion"
    TABLE_CORRUPTION = "table-corruption"
    DATABASE_CORRUPTION = "database-corruption"
    BAD_MIGRATION = "bad-migration"
    INSTANCE_LOST = "instance-lost"
    SITE_LOST = "site-lost"  # the whole cluster, or a region
    RESTART = "restart"  # a pod, container or node failed: nothing is to be restored
