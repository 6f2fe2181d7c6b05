"""Whose a database's objects are and what was granted on them, so that two databases can be compared.

An owner's own rights are left out, and so is who granted: neither is anybody's decision, and PostgreSQL 17
has given owners one right more. https://www.postgresql.org/docs/current/ddl-priv.html
"""

from __future__ import annotations

from tui.model.backup import ObjectRights
from tui.postgres.catalog.properties import parse_acl
from tui.postgres.connection import Connection

# Schema public is left out: its default rights differ from version to version. So is what an extension made.
_RIGHTS = """
SELECT * FROM (
  SELECT 'relation', n.nspname || '.' || c.relname, c.relowner, pg_get_userbyid(c.relowner)::text,
         coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
                                       c.relowner))::text[],
         c.oid, 'pg_class'::regclass
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  UNION ALL
  SELECT 'schema', n.nspname, n.nspowner, pg_get_userbyid(n.nspowner)::text,
         coalesce(n.nspacl, acldefault('n', n.nspowner))::text[], n.oid, 'pg_namespace'::regclass
    FROM pg_namespace n
   WHERE n.nspname NOT IN ('information_schema', 'public') AND n.nspname !~ '^pg_'
  UNION ALL
  SELECT 'function', n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         p.proowner, pg_get_userbyid(p.proowner)::text,
         coalesce(p.proacl, acldefault('f', p.proowner))::text[], p.oid, 'pg_proc'::regclass
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
) AS found (kind, name, owner_oid, owner, acl, oid, class)
 WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = found.class AND d.objid = found.oid AND d.deptype = 'e')
 ORDER BY 1, 2
"""


def rights(connection: Connection) -> tuple[ObjectRights, ...]:
    """Owner and grants of every relation, schema and function."""
    made = []
    for kind, name, _, owner, acl, _, _ in connection.execute(_RIGHTS).fetchall():
        granted = (parse_acl(item) for item in acl)
        others = sorted(f"{grantee}={letters}" for grantee, letters in granted if grantee != owner)
        made.append(ObjectRights(kind, name, owner, tuple(others)))
    return tuple(made)
