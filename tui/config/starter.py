"""A first configuration: a store from its address, and the text to begin with."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tui.config import values as v
from tui.config.write import text_of
from tui.files import private_directory, write_new
from tui.model.errors import Refused, UsageError
from tui.model.fleet import AzureStore, Fleet, GcsStore, LocalStore, S3Store, StoreSpec
from tui.model.text import clean

FORMS = "s3://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX, gs://BUCKET/PREFIX, or a directory"

_S3 = """
# Keys come from AWS_* variables, ~/.aws or the machine's role. To name them here, uncomment in the store:
#   profile = "backups"                            # of ~/.aws
#   access_key = { env = "BACKUP_ACCESS_KEY" }     # or { file = "PATH" }, never the key itself
#   secret_key = { env = "BACKUP_SECRET_KEY" }
"""
_AZURE = """
# Credentials come from the environment, a managed identity or the Azure CLI. To name them here, in the store:
#   account_key = { env = "AZURE_STORAGE_KEY" }    # or sas_token, or connection_string without account
"""
_GCS = """
# Credentials come from GOOGLE_APPLICATION_CREDENTIALS or gcloud. To name them here, in the store:
#   credentials_file = "~/.config/pgdr/gcs.json"
"""
_NO_STORE = """
# Where backups are to lie:
#[stores.local]
#kind = "local"
#path = "./backups"
"""
_NO_DATABASE = """
# Backups can be listed, shown and restored as it is: a restore goes to the server that PGHOST, PGPORT,
# PGUSER and ~/.pgpass say. To name a server here:
#[databases.NAME]
#host = "localhost"
#port = 5432
#user = "postgres"
"""
_DATABASES = """
# Say of each database what is true of it:
#   criticality    critical, high, medium or low: the order of work
#   rpo, rto       how much may be lost, and how long a recovery may take
#   password       { env = "NAME" } or { file = "PATH" }; or leave it to ~/.pgpass
#   key_tables     counted first when something is wrong: ["users", "orders"]
"""


def store_at(
    where: str,
    *,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
) -> StoreSpec:
    """Given a bucket's address or a directory, returns the store, called `offsite` or `local`.

    `endpoint_url` is that of a server which isn't the cloud's own; `region` and `profile` are for S3.
    Raises UsageError for an address that is none, or that holds a secret; it isn't repeated then.
    """
    scheme, mark, _ = where.partition("://")
    if not mark:
        if endpoint_url or region or profile:
            raise UsageError("--endpoint-url, --region and --profile are for buckets.", mend=f"Give {FORMS}.")
        try:
            return LocalStore("local", Path(where).expanduser().absolute())
        except RuntimeError:
            raise UsageError(
                "No home directory is known for that path.", mend="Write the whole path."
            ) from None
    parts = urlsplit(where)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "The address holds a user, a password or a token, and a configuration is no place for one.",
            mend="Give it without; credentials come from the environment, or are named there by reference.",
        )
    # Not urlsplit's own path: a key may hold what a URL wouldn't.
    bare = [unquote(part) for part in (parts.netloc, *parts.path.split("/")) if part]
    if (region or profile) and scheme != "s3":
        raise UsageError("--region and --profile are for s3:// alone.")
    if endpoint_url is not None:
        try:
            v.url(endpoint_url, Path())
        except v.Unfit as unfit:
            raise UsageError(f"--endpoint-url: {unfit.what}", mend=unfit.mend) from None
    if scheme == "s3" and bare:
        return S3Store(
            "offsite",
            _bucket(bare[0]),
            prefix=_prefix(bare[1:]),
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            path_style=endpoint_url is not None,
        )
    if scheme == "gs" and bare:
        return GcsStore("offsite", _bucket(bare[0]), prefix=_prefix(bare[1:]), endpoint_url=endpoint_url)
    if scheme == "azure" and len(bare) >= 2:
        return AzureStore(
            "offsite", _bucket(bare[1]), bare[0], prefix=_prefix(bare[2:]), endpoint_url=endpoint_url
        )
    raise UsageError("That is no address of a store that pgdr knows.", mend=f"Give {FORMS}.")


def starter_text(fleet: Fleet) -> str:
    """Given what was found, returns the configuration to begin with: its values, and hints as comments."""
    said = [text_of(fleet)]
    if not fleet.stores:
        said.append(_NO_STORE)
    for kind, hint in ((S3Store, _S3), (AzureStore, _AZURE), (GcsStore, _GCS)):
        if any(isinstance(store, kind) for store in fleet.stores):
            said.append(hint)
    said.append(_DATABASES if fleet.databases else _NO_DATABASE)
    return "".join(said)


def write_first(path: Path, text: str) -> None:
    """Writes a configuration for its owner only, where there is none. Raises Refused where there is one,
    NotWritten where it can't be."""
    private_directory(path.parent)
    try:
        write_new(path, text)
    except FileExistsError:
        raise Refused(
            f"{clean(str(path))} is there already; it stays.", mend="Write elsewhere, or use that one."
        ) from None


def _bucket(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._$-]+", name):
        raise UsageError("The bucket's name holds what no bucket's name may.", mend=f"Give {FORMS}.")
    return name


def _prefix(parts: list[str]) -> str:
    if any(part in (".", "..") or not part.isprintable() for part in parts):
        raise UsageError("The prefix holds a part that would lead out of it.", mend=f"Give {FORMS}.")
    return "/".join(parts) + "/" if parts else ""
