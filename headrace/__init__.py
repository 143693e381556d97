"""Headrace from a notebook: submit a model, follow the search, take the designs away.

>>> import headrace
>>> client = headrace.connect()
>>> job = client.submit("model.onnx", dataset="digits.npz", search={"trials": 100})
>>> job.wait().trials_dataframe()
"""

from headrace.client import Client, connect
from headrace.errors import (
    Conflict,
    ConnectionFailed,
    Gone,
    HeadraceError,
    InvalidDataset,
    InvalidModel,
    InvalidRequest,
    JobFailed,
    NoFeasibleDesign,
    NotFound,
    ProblemError,
    ServerError,
    TooLarge,
    TooManyJobs,
    Unauthorized,
    UnsafeModel,
    Unsatisfiable,
    UnsupportedModel,
)
from headrace.job import Job, Sweep

__version__ = "0.1.0"

__all__ = [
    "Client",
    "Conflict",
    "ConnectionFailed",
    "Gone",
    "HeadraceError",
    "InvalidDataset",
    "InvalidModel",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "NoFeasibleDesign",
    "NotFound",
    "ProblemError",
    "ServerError",
    "Sweep",
    "TooLarge",
    "TooManyJobs",
    "Unauthorized",
    "UnsafeModel",
    "Unsatisfiable",
    "UnsupportedModel",
    "connect",
]
