"""Jobs of an account in, manifests that adopt them out, with their data where it is given."""

from ftctl.importer.account import AccountJob, read_account_job, tagged_by_file
from ftctl.importer.choose import Chosen, choose_jobs
from ftctl.importer.downloads import Downloaded, NotGiven, download
from ftctl.importer.fitting import Fitted, fit
from ftctl.importer.manifest_draft import Draft, draft_of
from ftctl.importer.naming import name_jobs

__all__ = [
    "AccountJob",
    "Chosen",
    "Downloaded",
    "Draft",
    "Fitted",
    "NotGiven",
    "choose_jobs",
    "download",
    "draft_of",
    "fit",
    "name_jobs",
    "read_account_job",
    "tagged_by_file",
]
